"""Kinds of models: each fits all arms at all settings on one training part."""
