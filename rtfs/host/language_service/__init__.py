"""Answers the questions of editors about a text. No text is run, and no module here knows an editor's protocol."""
