"""The desk's rooms: each a few routes and the pages behind them."""
