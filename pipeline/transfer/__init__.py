"""How well what a network learnt serves another data set (paper, section 5.2)."""
