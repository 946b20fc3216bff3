//! What every store promises.

pub mod append;
pub mod batches;
pub(crate) mod commits;
pub mod leases;
pub mod outbox;
#[cfg(all(test, any(feature = "sqlite", feature = "postgres")))]
pub(crate) mod tampered;
pub mod together;
pub mod units;
pub mod views;
pub mod workers;

/// Hands each promise to `$run`, by its name.
///
/// It writes one test per promise, named after it, which calls `$run` with the promise: an async function of a store. What
/// `$run` has to do is to build an empty store, run the promise on it by whatever runtime the store needs, and keep whatever
/// must live as long as the store. See [the module](crate::conformance) for an example.
///
/// `store_promises! { without rolling back: run }` leaves out the promises that roll a unit back or wait with an open one, for
/// a store whose every write is durable by itself.
#[macro_export]
macro_rules! store_promises {
    ($run:path) => {
        $crate::store_promises! { without rolling back: $run }

        mod rolled_back {
            use super::*;
            $crate::store_promises! { $run =>
                append:
                    a_rollback_leaves_nothing_anywhere,
                    a_rolled_back_revision_is_stale_afterwards,
                    a_request_is_answered_once;
                outbox:
                    a_deadline_is_leased_once,
                    a_lease_that_was_rolled_back_was_never_taken;
                units:
                    what_is_not_committed_is_seen_by_nobody_else;
                views:
                    parties_come_and_go;
            }
        }
    };
    (without rolling back: $run:path) => {
        $crate::store_promises! { $run =>
            append:
                a_log_is_read_as_it_was_written,
                a_subject_is_created_once,
                a_stale_revision_writes_nothing,
                a_wrong_number_is_stale,
                a_unit_reads_its_own_writes,
                an_overdraft_is_refused_and_named,
                entries_count_in_their_order,
                nobody_pays_off_more_than_is_owed,
                only_the_world_goes_below_zero,
                an_account_holds_what_its_log_says,
                a_balance_stays_within_64_bits,
                a_refusal_leaves_the_unit_usable;
            batches:
                several_commits_are_all_written,
                several_commits_are_written_all_or_none,
                what_is_appended_durably_is_there_whole,
                a_call_is_found_as_an_earlier_commit_left_it,
                a_call_that_follows_is_answered_at_once;
            together:
                one_of_many_creators_wins,
                one_of_many_goes_on,
                one_of_many_does_what_was_asked,
                no_update_is_lost,
                an_overdraft_is_refused_among_many,
                money_that_crosses_arrives,
                a_call_is_settled_once,
                two_workers_never_hold_one_call,
                two_workers_never_hold_one_deadline,
                large_commits_come_back_whole;
            units:
                what_was_written_before_a_lost_race_is_there_or_told_of;
            workers:
                a_call_is_withdrawn_or_taken,
                the_second_call_of_an_order_waits_among_many;
            outbox:
                a_call_waits_as_it_was_written,
                a_call_that_nobody_took_is_withdrawn,
                a_call_that_was_taken_refuses_or_is_followed,
                a_call_is_put_in_once,
                only_known_calls_are_settled,
                one_commit_answers_several_calls,
                a_pending_answer_keeps_a_call_open,
                calls_are_leased_in_the_order_they_fall_due,
                a_lease_keeps_others_off_until_it_ends,
                a_later_call_of_a_payment_waits_for_the_queued_one,
                the_calls_of_one_order_keep_their_order,
                postponed_calls_come_back_and_parked_ones_do_not,
                calls_are_listed_by_key;
            leases:
                a_lease_that_was_lost_notes_nothing,
                what_was_taken_to_be_sent_may_have_been,
                what_was_not_sent_may_be_withdrawn,
                a_pending_call_is_not_held,
                a_held_call_holds_up_nobody_and_may_be_withdrawn;
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
    ($run:path => $($module:ident: $($name:ident),+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[test]
                fn $name() {
                    $run(async |store| $crate::conformance::store::$module::$name(store).await);
                }
            )+
        }
    )+};
}

#[cfg(test)]
mod tests;
