//! The published transitions, and that the table has them and no others.

use super::*;

/// The published transitions: by whom, from which state, to which. By the gateway where the published process believes
/// the customer.
const PUBLISHED: &[(&str, Role, Status, Status)] = &[
    ("inquire", CUSTOMER, Status::Initial, Status::Inquiry),
    ("request-payment", CUSTOMER, Status::Initial, Status::PendingPayment),
    ("request-payment-after-inquiry", CUSTOMER, Status::Inquiry, Status::PendingPayment),
    ("confirm-payment", Role::GATEWAY, Status::PendingPayment, Status::Purchased),
    ("expire-payment", Role::CLOCK, Status::PendingPayment, Status::PaymentExpired),
    ("cancel", OPERATOR, Status::Purchased, Status::Canceled),
    ("auto-cancel", Role::CLOCK, Status::Purchased, Status::Canceled),
    ("mark-received-from-purchased", CUSTOMER, Status::Purchased, Status::Received),
    ("mark-delivered", PROVIDER, Status::Purchased, Status::Delivered),
    ("operator-mark-delivered", OPERATOR, Status::Purchased, Status::Delivered),
    ("mark-received", CUSTOMER, Status::Delivered, Status::Received),
    ("auto-mark-received", Role::CLOCK, Status::Delivered, Status::Received),
    ("dispute", CUSTOMER, Status::Delivered, Status::Disputed),
    ("operator-dispute", OPERATOR, Status::Delivered, Status::Disputed),
    ("mark-received-from-disputed", OPERATOR, Status::Disputed, Status::Received),
    ("cancel-from-disputed", OPERATOR, Status::Disputed, Status::Canceled),
    ("auto-cancel-from-disputed", Role::CLOCK, Status::Disputed, Status::Canceled),
    ("auto-complete", Role::CLOCK, Status::Received, Status::Completed),
    ("review-1-by-provider", PROVIDER, Status::Completed, Status::ReviewedByProvider),
    ("review-1-by-customer", CUSTOMER, Status::Completed, Status::ReviewedByCustomer),
    ("review-2-by-provider", PROVIDER, Status::ReviewedByCustomer, Status::Reviewed),
    ("review-2-by-customer", CUSTOMER, Status::ReviewedByProvider, Status::Reviewed),
    ("expire-review-period", Role::CLOCK, Status::Completed, Status::Reviewed),
    ("expire-provider-review-period", Role::CLOCK, Status::ReviewedByCustomer, Status::Reviewed),
    ("expire-customer-review-period", Role::CLOCK, Status::ReviewedByProvider, Status::Reviewed),
];

/// A table is a plain value: tests and diagrams may walk it.
pub fn the_table_is_the_published_process() {
    let ways = || TABLE.edges.iter().flat_map(|edge| edge.from.iter().map(move |from| (edge, *from)));
    for (name, by, from, to) in PUBLISHED {
        let is_it = |(edge, start): (&Edge, usize)| {
            start == *from as usize && edge.to == [*to as usize] && edge.by.contains(by)
        };
        assert_eq!(ways().filter(|way| is_it(*way)).count(), 1, "{name} is in the table once");
    }
    assert_eq!(ways().map(|(edge, _)| edge.by.len()).sum::<usize>(), PUBLISHED.len(), "nothing else is in the table");
    println!("The table has the {} published transitions, and no other.\n", PUBLISHED.len());
}

/// The published name of the step from one status to the next.
pub fn published(pair: &[Passage<Status>]) -> &'static str {
    let (from, to) = (pair[0].code, pair[1].code);
    let did = |role: Role| match &pair[1].stamp.by {
        Actor::Party(who) => role == if who.as_str() == "carla" { CUSTOMER } else { PROVIDER },
        Actor::Office { role: office, .. } => role.name == office.as_str(),
        Actor::Clock => role == Role::CLOCK,
        Actor::Gateway => role == Role::GATEWAY,
    };
    let found = PUBLISHED.iter().find(|(_, by, start, end)| did(*by) && *start == from && *end == to);
    found.expect("every step is one of the table").0
}
