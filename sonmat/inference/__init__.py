"""From a loaded model to answers: rendering of chats, generation, batching, the predictor of every neural method."""
