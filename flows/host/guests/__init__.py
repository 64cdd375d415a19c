"""The programs of the child processes. They import the standard library, msgspec, flows.sdk and flows.host.frames."""
