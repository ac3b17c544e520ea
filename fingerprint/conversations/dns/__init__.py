"""Questions to resolvers and everything that claims to be an answer."""
