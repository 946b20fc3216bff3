//! The one status in which something is done.

use super::{Lifecycle, Reason, Recorded, Table, Value};

/// The value in the only status in which the table has this event: for a condition of it that only that status can tell. Once
/// the table has it in another status too, this does not compile, until somebody has said what the condition is there.
///
/// # Errors
/// [`Reason::WrongStatus`] in every other status, as the table says.
pub(crate) fn only<V, E>(any: &V::Any) -> Result<&V, Reason>
where
    V: Value,
    E: Recorded<V::Any>,
{
    const {
        assert!(
            <V::Any as Lifecycle>::TABLE.begins_only_in(V::STATUS, E::ACTION),
            "the table has this event in another status too: say what is asked of it there"
        );
    }
    V::among(any).ok_or_else(|| wrong_status(any, E::ACTION))
}

/// What the table says of an action that it has not in this status.
pub(crate) fn wrong_status<V: Value>(value: &V, action: usize) -> Reason {
    let table = <V::Any as Lifecycle>::TABLE;
    Reason::WrongStatus { action: table.actions[action], status: table.statuses[value.position()].name }
}

impl Table {
    // Whether each edge and note of an action begins in this status, and in no other.
    const fn begins_only_in(&self, status: Option<usize>, action: usize) -> bool {
        let Some(status) = status else { return false };
        let mut i = 0;
        while i < self.edges.len() + self.notes.len() {
            let (edge, mut f) = (self.step(i), 0);
            while f < edge.from.len() {
                if edge.action == action && edge.from[f] != status {
                    return false;
                }
                f += 1;
            }
            i += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::order::{Action, Status, TABLE};

    #[test]
    fn the_table_says_where_an_event_begins() {
        let begins = |status: Status, action: Action| TABLE.begins_only_in(Some(status as usize), action as usize);
        assert!(begins(Status::PendingPublish, Action::Publish));
        assert!(!begins(Status::Draft, Action::Publish));
        assert!(!begins(Status::BlockedRelease, Action::CountPayout));
        assert!(!TABLE.begins_only_in(None, Action::Publish as usize));
    }
}
