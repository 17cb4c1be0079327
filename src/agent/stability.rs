//! A reading counts once it is the same over two looks.
