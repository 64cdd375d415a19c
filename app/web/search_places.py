"""Where Ctrl K leads by name, and what it does: every page of the dashboard, the pages of the flow or run one looks at,
and the deeds that begin something. tests/app/web/test_reach.py walks the routes and fails on a page that is missing.
"""

import re

from msgspec import Struct

from app.language.sentences import say


class Place(Struct, frozen=True):
    """A line of the palette: somewhere to go, or (`opens`, `theme`) something to do here. `words`: other names.

    `posts`: the address of a deed that needs nothing more than to be asked for.
    """

    name: str
    note: str
    icon: str
    href: str = ""
    opens: str = ""
    theme: str = ""
    posts: str = ""
    words: str = ""

    def fits(self, search: str) -> bool:
        """In English or as it reads on the page."""
        known = f"{self.name} {self.note} {self.words} {say(self.name)} {say(self.note)}".lower()
        return all(word in known for word in search.lower().split())


PLACES: tuple[Place, ...] = (
    Place("Home", "", "house", "/"),
    Place("Flows", "", "workflow", "/flows", words="apps"),
    Place("Needs you", "questions and approvals", "hand", "/needs-you", words="approve answer"),
    Place("Runs", "", "activity", "/runs", words="history log"),
    Place("Triggers", "what starts flows by itself", "zap", "/triggers", words="schedule cron webhook mail event"),
    Place("Site", "what visitors see", "panels-top-left", "/site", words="page website publish"),
    Place("Help", "the documentation, here", "life-buoy", "/help", words="docs manual guide"),
    Place("Steps", "what each of them does", "book-open", "/steps", words="help docs components nodes"),
    Place("Connections", "models and services", "plug", "/connections", words="key provider openai ollama"),
    Place("Settings", "your profile", "settings", "/settings/profile", words="password name account"),
    Place("Members", "who works here", "users", "/settings/members", words="people invite team"),
    Place("Secrets", "keys that steps use by name", "key-square", "/settings/secrets", words="vault password token"),
    Place("Variables", "values that steps read by name", "variable", "/settings/variables", words="vars environment"),
    Place("Environments", "dev, staging, what differs", "layers", "/settings/environments", words="stages variables"),
    Place("Files", "what steps refer to", "files", "/settings/files", words="uploads documents"),
    Place("Publishing", "who has to agree", "rocket", "/settings/publishing", words="approval rule"),
    Place("API keys", "for your own programs", "key-round", "/settings/keys", words="token bearer"),
    Place("Outgoing webhooks", "tell other programs what happened", "webhook", "/webhooks", words="events deliveries"),
    Place("Git", "flows in a repository", "git-branch", "/settings/git", words="sync repository version control"),
    Place("Devices", "where you are signed in", "monitor-smartphone", "/settings/devices", words="sessions sign out"),
    Place("Versions that wait for a word", "approvals", "stamp", "/needs-you/approvals", words="approve publish"),
    Place("Mentions", "where somebody named you", "at-sign", "/needs-you/mentions", words="comments"),
    Place("Archived flows", "", "archive", "/flows?tab=archived", words="deleted removed restore"),
    Place("Compare two runs", "side by side", "git-compare", "/runs/compare", words="difference diff"),
    Place("Failed runs", "", "circle-alert", "/runs?state=failed", words="errors broken"),
)
DEEDS: tuple[Place, ...] = (
    Place("New flow", "What do you want to make?", "plus", "/start", words="create add make"),
    Place("Describe a flow", "a model drafts it, you look at it first", "wand-sparkles", "/drafting", words="draft ai"),
    Place("Import flows", "an archive or a file", "upload", "/flows/import", words="zip json yaml upload bring"),
    Place("Connect a model", "or another service", "plug", "/connections/new", words="add provider key openai ollama"),
    Place("Invite somebody", "a link for one person", "user-plus", "/settings/members", words="add member people team"),
    Place("Make an API key", "for a program of yours", "key-round", "/settings/keys", words="create token"),
    Place("Keep a secret", "a key that steps use by name", "lock", "/settings/secrets", words="add password vault"),
    Place("Put in a file", "for the settings of steps", "upload", "/settings/files", words="upload add document"),
    Place("Tell another program", "a webhook for events", "send", "/webhooks", words="add endpoint notify"),
    Place("Say what models may cost", "budgets", "wallet", "/connections", words="limit spend money budget"),
    Place("Change my password", "or name and appearance", "user", "/settings/profile", words="profile"),
    Place("Change the language", "of these pages", "user", "/settings/profile", words="german deutsch arabic العربية"),
    Place("Take the tour", "two minutes on the canvas", "footprints", posts="/tour", words="help learn begin"),
    Place("Sign out", "on this device", "log-out", posts="/sign-out", words="leave log"),
    Place("Keys", "all keys of this page", "keyboard", opens="keys", words="shortcuts help"),
    Place("Ink, dark", "appearance", "moon", theme="dark", words="theme mode night"),
    Place("Chalk, light", "appearance", "sun", theme="light", words="theme mode day"),
    Place("As the system", "appearance", "monitor", theme="auto", words="theme mode"),
)
OF_FLOW: tuple[Place, ...] = (
    Place("Canvas", "of this flow", "workflow", "", words="editor draw"),
    Place("Outline", "of this flow", "list-tree", "/outline", words="list steps"),
    Place("Runs of this flow", "", "activity", "/runs", words="history"),
    Place("Tests of this flow", "", "flask-conical", "/tests", words="checks suite"),
    Place("Datasets of this flow", "", "table-2", "/datasets", words="experiments rows tests"),
    Place("Versions of this flow", "", "history", "/history", words="restore rollout live"),
    Place("What would go live", "the draft beside the live version", "git-compare", "/comparison", words="difference"),
    Place("Share this flow", "a link to look at it", "link", "/shares", words="public read-only"),
    Place("Settings page of this flow", "", "sliders-horizontal", "/settings-form", words="exposed form"),
    Place("Limits of this flow", "how many runs, how much money", "gauge", "/limits", words="budget queue cost"),
    Place("Change this flow in words", "a model drafts it", "wand-sparkles", "/drafting", words="describe ai"),
    Place("Comments on this flow", "", "message-square", "/outline?panel=comments", words="threads talk"),
    Place("Take this flow along", "as a file", "download", "/export", words="export json"),
    Place("Take this flow along, whole", "with tests and files", "package", "/bundle", words="export zip archive"),
)
"""Behind `/flows/<id>`."""
OF_RUN: tuple[Place, ...] = (
    Place("This run", "", "activity", ""),
    Place("Run this again, or from a step", "", "rotate-cw", "/replays/new", words="replay resume retry"),
    Place("Keep this run as a test", "", "flask-conical", "/tests/new", words="case check save"),
    Place("Share this run", "a link to look at it", "link", "/shares", words="public"),
    Place("Take this run along", "as a file", "download", "/download", words="export json"),
)
"""Behind `/runs/<id>`."""
_WITHIN = re.compile(r"(/(?:flows|runs)/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|$)")


def here(path: str) -> list[Place]:
    """The pages of the flow or run that this address belongs to; nothing on other pages."""
    found = _WITHIN.match(path)
    if found is None:
        return []
    base = found.group(1)
    offered = OF_FLOW if base.startswith("/flows/") else OF_RUN
    return [Place(each.name, each.note, each.icon, base + each.href, words=each.words) for each in offered]
