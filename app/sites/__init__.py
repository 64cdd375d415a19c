"""Sites: what visitors see. Owns sites, their pages and blocks, themes applied to them, visitors' conversations and
form submissions, and the public application that serves all this. Doesn't own flows or runs: a block names a flow, and
`app.runs` answers."""
