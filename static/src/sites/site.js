// Everything a published page runs: two small elements. The page reads and works without them.
import "./chat.js";
import "./form.js";
