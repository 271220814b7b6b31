"""Models that another machine answers for, over HTTP as OpenAI's chat completions: addresses, keys, requests, kept answers."""
