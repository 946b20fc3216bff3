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

macro_rules! promises {
    ($run:path) => {
        crate::store_promises! { $run =>
            append:
                a_log_is_read_as_it_was_written,
                a_subject_is_created_once,
                a_stale_revision_writes_nothing,
                a_wrong_number_is_stale,
                a_unit_reads_its_own_writes,
                several_commits_are_all_written,
                several_commits_are_written_all_or_none,
                an_overdraft_is_refused_and_named,
                entries_count_in_their_order,
                nobody_pays_off_more_than_is_owed,
                only_the_world_goes_below_zero,
                an_account_holds_what_its_log_says,
                a_balance_stays_within_64_bits,
                a_refusal_leaves_the_unit_usable;
            together:
                one_of_many_creators_wins,
                one_of_many_goes_on,
                no_update_is_lost,
                an_overdraft_is_refused_among_many,
                money_that_crosses_arrives,
                a_call_is_settled_once,
                two_workers_never_hold_one_call,
                two_workers_never_hold_one_deadline,
                large_commits_come_back_whole;
            outbox:
                a_call_waits_as_it_was_written,
                a_call_that_nobody_took_is_withdrawn,
                a_call_that_was_taken_refuses_or_is_followed,
                a_call_is_put_in_once,
                only_known_calls_are_settled,
                a_pending_answer_keeps_a_call_open,
                calls_are_leased_in_the_order_they_fall_due,
                a_lease_keeps_others_off_until_it_ends,
                a_later_call_of_a_payment_waits_for_the_queued_one,
                the_calls_of_one_order_keep_their_order,
                a_lease_that_was_lost_notes_nothing,
                postponed_calls_come_back_and_parked_ones_do_not,
                calls_are_listed_by_key;
            views:
                each_query_finds_its_rows,
                everything_is_listed_once,
                pages_end_where_the_next_begins,
                rows_that_change_between_pages_are_seen_once,
                deadlines_come_in_order,
                balances_are_listed_in_order,
                entries_are_listed_by_account,
                hostile_text_comes_back_unharmed;
        }
    };
}

mod in_memory {
    use super::*;

    fn in_memory(promise: impl AsyncFnOnce(&Durable<Memory>)) {
        futures_lite::future::block_on(promise(&Durable::over(Memory::new())));
    }

    promises!(in_memory);
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

    promises!(in_one_file);
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

    promises!(on_a_server);
}
