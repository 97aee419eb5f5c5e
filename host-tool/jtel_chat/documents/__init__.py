"""Documents and the kinds of their sections: what a document may say, and what every kind offers."""
