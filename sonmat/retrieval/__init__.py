"""Finding passages: documents cut into passages, lexical and dense search, fusion of both."""
