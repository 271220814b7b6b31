"""Asking a chat model: prompts made of instructions, shots and passages, and the predictor that asks them."""
