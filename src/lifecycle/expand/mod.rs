//! What [`lifecycle!`](crate::lifecycle!) writes.

mod names;
mod values;

/// Hands the table, in its full form, to both parts.
#[doc(hidden)]
#[macro_export]
macro_rules! __lifecycle {
    ($($table:tt)*) => {
        $crate::__lifecycle_names! { $($table)* }
        $crate::__lifecycle_values! { $($table)* }
    };
}
