"""OAuth 2.1 for the servers of sessions: finding out whom a server trusts, logging in, keeping tokens, sending them.

Must not know what is said over HTTP once a token is there, nor any provider's name. Invariant: a token goes to the
server that it was issued for and, when it is renewed or taken back, to its issuer; to no other party, and never into a
message.
"""
