"""Where finished fits are kept, so that none is lost or made twice."""
