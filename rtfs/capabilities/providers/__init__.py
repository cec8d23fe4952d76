"""What the bundled `ccos.*` capabilities do, by topic. Each function takes RTFS values and answers one."""
