//! The promises of every store that do not speak of rolling back, kept by a writer.

use crate::{
    coalescing::{Coalescing, Shared, Writer},
    memory::Memory,
    store::Store,
};

/// A store of which the units are writers.
struct Durable<S: Store>(Coalescing<S>);

impl<S: Store + 'static> Durable<S> {
    fn over(store: S) -> Self {
        Self(Coalescing::new(store))
    }
}

impl<S: Store + 'static> Store for Durable<S> {
    type Unit = Writer<S>;
    type Error = Shared<S::Error>;

    async fn begin(&self) -> Result<Writer<S>, Self::Error> {
        Ok(self.0.writer())
    }

    async fn commit(&self, _: Writer<S>) -> Result<(), Self::Error> {
        Ok(())
    }
}

mod in_memory {
    use super::*;

    fn in_memory(promise: impl AsyncFnOnce(&Durable<Memory>)) {
        futures_lite::future::block_on(promise(&Durable::over(Memory::new())));
    }

    crate::store_promises! { without rolling back: in_memory }
}

#[cfg(feature = "sqlite")]
mod in_one_file {
    use super::*;
    use crate::sqlite::Sqlite;

    fn in_one_file(promise: impl AsyncFnOnce(&Durable<Sqlite>)) {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path().join("market.db")).unwrap();
        futures_lite::future::block_on(promise(&Durable::over(store)));
    }

    crate::store_promises! { without rolling back: in_one_file }
}

#[cfg(feature = "postgres")]
mod on_a_server {
    use super::*;
    use crate::postgres::{
        Postgres,
        tests::database::{Database, block_on},
    };

    fn on_a_server(promise: impl AsyncFnOnce(&Durable<Postgres>)) {
        let database = Database::new();
        block_on(async { promise(&Durable::over(database.store().await)).await });
    }

    crate::store_promises! { without rolling back: on_a_server }
}
