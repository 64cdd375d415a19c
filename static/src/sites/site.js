// Everything a published page runs: two small elements, and the thumbs below an answer. The page reads and works without them.
import "./chat.js";
import "./form.js";
import "./rating.js";
