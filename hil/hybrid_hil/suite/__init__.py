"""What pytest does with a board: which one a worker gets, its care between tests, and what is recorded of them."""
