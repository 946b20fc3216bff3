//! The methods of each status are those of the table, and there are no others.

use crate::campaign::legality::{Absent, check, compare, is_there};

#[test]
fn a_movement_has_the_methods_of_its_table_and_no_others() {
    use escrowed::movement::*;
    compare!(
        Movement,
        [Planned, Collecting, Committed, Done, Undoing, Undone],
        [collect, commit, finish, undo, end_undoing, count]
    );
    assert!(is_there(Movement::<Collecting>::undo));
    assert!(!is_there(Movement::<Committed>::undo));
}
