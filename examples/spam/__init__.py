"""Spam among short messages: three weightings of one tiny text model in Hugging Face's Trainer, and the same table in the tuner."""
