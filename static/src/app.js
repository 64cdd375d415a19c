// Everything an ordinary dashboard page runs: htmx with its nonce gate, and our own small elements.
import "./elements/htmx.js";
import "./elements/choose-all.js";
import "./elements/command.js";
import "./elements/copy-button.js";
import "./elements/data-post.js";
import "./elements/event-stream.js";
import "./elements/keys-sheet.js";
import "./elements/palette.js";
import "./elements/password.js";
import "./elements/pop-menu.js";
import "./elements/relative-time.js";
import "./elements/run-keys.js";
import "./elements/submit-once.js";
import "./elements/theme-switch.js";
import "./elements/toast.js";
import "./elements/tooltip.js";
