//! Names that are taken: a store tells logs apart by the prefix of their ids, and index rows by their lifecycle's name.

use super::edges::same;
use crate::lifecycle::Table;

/// Name and prefix of each lifecycle that the crate brings along.
const OWN: [(&str, &str); 14] = [
    ("order", "ord"),
    ("transaction", "tx"),
    ("face_to_face", "ftf"),
    ("campaign", "cmp"),
    ("pledge", "pl"),
    ("movement", "mov"),
    ("loan", "ln"),
    ("distribution", "dst"),
    ("payin", "pi"),
    ("payout", "po"),
    ("refund", "re"),
    ("chargeback", "cb"),
    ("debt", "debt"),
    ("tally", "tally"),
];

impl Table {
    /// Refuses a host's lifecycle that bears the name of one of the crate's own, or the prefix of its ids. Called in a `const` by
    /// the `lifecycle!` macro.
    ///
    /// # Panics
    /// With a sentence that says which of them is taken.
    #[track_caller]
    pub const fn check_names(&self, module: &str, prefix: &str) {
        if is_own(module.as_bytes()) {
            return;
        }
        let mut i = 0;
        while i < OWN.len() {
            let (name, ids) = OWN[i];
            if same(self.name.as_bytes(), name.as_bytes()) {
                self.complain(&["a lifecycle of the crate's own has that name: choose another"]);
            }
            if same(prefix.as_bytes(), ids.as_bytes()) {
                self.complain(&[
                    "ids `",
                    prefix,
                    "_…` are those of the crate's own `",
                    name,
                    "`: choose another prefix",
                ]);
            }
            i += 1;
        }
    }
}

const fn is_own(module: &[u8]) -> bool {
    const CRATE: &[u8] = b"escrowed::";
    let mut i = 0;
    while i < CRATE.len() {
        if i >= module.len() || module[i] != CRATE[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        campaign, distribution, face_to_face,
        id::Identified,
        loan, movement, order,
        payment::{self, AnyChargeback, AnyDebt, AnyPayin, AnyPayout, AnyRefund, AnyTally},
        pledge, transaction,
    };
    use std::panic::catch_unwind;

    fn own<L: Identified>(table: &Table) -> (&'static str, String) {
        (table.name, L::KIND.to_string())
    }

    #[test]
    fn every_lifecycle_of_the_crate_is_among_them() {
        let all = [
            own::<order::AnyOrder>(&order::TABLE),
            own::<transaction::AnyTransaction>(&transaction::TABLE),
            own::<face_to_face::AnyFaceToFace>(&face_to_face::TABLE),
            own::<campaign::AnyCampaign>(&campaign::TABLE),
            own::<pledge::AnyPledge>(&pledge::TABLE),
            own::<movement::AnyMovement>(&movement::TABLE),
            own::<loan::AnyLoan>(&loan::TABLE),
            own::<distribution::AnyDistribution>(&distribution::TABLE),
            own::<AnyPayin>(&payment::payin::TABLE),
            own::<AnyPayout>(&payment::payout::TABLE),
            own::<AnyRefund>(&payment::refund::TABLE),
            own::<AnyChargeback>(&payment::chargeback::TABLE),
            own::<AnyDebt>(&payment::debt::TABLE),
            own::<AnyTally>(&payment::tally::TABLE),
        ];
        assert_eq!(OWN.map(|(name, prefix)| (name, prefix.to_owned())), all);
    }

    #[test]
    fn a_host_names_none_like_them() {
        let check = |module, name, prefix| Table { name, ..order::TABLE }.check_names(module, prefix);
        check("shop", "purchase", "buy");
        check("escrowed::order", "order", "ord");
        for (module, name, prefix) in
            [("shop", "order", "buy"), ("shop", "purchase", "pi"), ("escrowed_shop", "debt", "d"), ("", "x", "debt")]
        {
            assert!(catch_unwind(|| check(module, name, prefix)).is_err(), "{module} {name} {prefix}");
        }
    }
}
