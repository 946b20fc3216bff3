//! Events that say nothing but that something happened.

/// Writes the types of such events.
macro_rules! plain {
    ($($name:ident),+ $(,)?) => { $(
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        pub struct $name {}
    )+ };
}

pub(crate) use plain;
