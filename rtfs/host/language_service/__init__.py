"""What editors ask about a text. Nothing of a text runs, and no module here knows any editor's protocol."""
