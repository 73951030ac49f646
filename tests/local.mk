# The test runner; unit tests stand in the fragments of the folders they test.
