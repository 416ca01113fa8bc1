//! The one word at the site of a planted bug. Without the feature `mutations` it is the constant `false`, and
//! no trace of a bug is left in the build.

#[cfg(feature = "mutations")]
macro_rules! mutant {
    ($node:expr, $mutation:ident) => {
        $node.options.mutation == Some(crate::mutations::Mutation::$mutation)
    };
}

#[cfg(not(feature = "mutations"))]
macro_rules! mutant {
    ($node:expr, $mutation:ident) => {
        false
    };
}
