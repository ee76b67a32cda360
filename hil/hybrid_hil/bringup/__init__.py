"""Bring-up: whether a board is fit for the runtime, told in one page, with the user's own firmware."""
