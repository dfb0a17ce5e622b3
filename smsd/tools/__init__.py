"""What the command line's tools do; `smsd.cli` names them."""
