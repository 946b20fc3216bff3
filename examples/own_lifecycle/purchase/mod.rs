//! A lifecycle of the host's own: Sharetribe's published `default-purchase` process, with its own roles and deadlines.
//!
//! Here are the table, what is known of a purchase, and its statuses. [`steps`] has its events and what each demands and
//! makes; [`methods`] has what a user calls, and what a purchase learns of its payments and of the clock.

mod methods;
mod steps;

use steps::*;

use escrowed::{
    deal::Period,
    gateway::Capture,
    id::Id,
    ledger::{Account, GatewayName, Purpose},
    lifecycle::{self, Effects, Opening, Reason, Refused, Takes, Transition, Value},
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    payment::{
        Agreement, Destination, Evidence, Learned, Method, Outgoing, Paid, Payin, PayinId, Way,
        payin::{self, Confirmed},
    },
    text::{Name, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

// Two sides, an office, and time. Money may depend on the last two only: a side may fall silent for ever.
pub const CUSTOMER: Role = Role::party("customer");
pub const PROVIDER: Role = Role::party("provider");
pub const OPERATOR: Role = Role::office("operator");

// The published limits.
const TO_PAY: Period = Period::seconds(15 * 60);
const TO_DELIVER: Period = Period::days(14);
const TO_RECEIVE: Period = Period::days(14);
const TO_SETTLE_A_DISPUTE: Period = Period::days(60);
const TO_REVIEW: Period = Period::days(7);

/// The id of a purchase: `pur_…`.
pub type PurchaseId = Id<AnyPurchase>;

// The table: all else follows from it. An edge says who may take it, what the money does on it, and which published
// transitions it stands for; one action may lead from several statuses. If money could get stuck by it, or come from
// nowhere, this would not compile.
escrowed::lifecycle! {
    /// A purchase of a listing.
    pub lifecycle Purchase, AnyPurchase as "purchase" with ids "pur" {
        version 1;
        facts Facts;
        opening Terms;
        initial Initial;
        happy Initial -> PendingPayment -> Purchased -> Delivered -> Received -> Completed -> ReviewedByCustomer
            -> Reviewed;
        statuses {
            /// Opened; nothing was said or paid.
            Initial = "initial", Nothing;
            /// The customer has asked something first.
            Inquiry = "inquiry", Nothing;
            /// The customer is at the gateway's page.
            PendingPayment = "pending-payment", Nothing;
            /// Nobody paid in time.
            PaymentExpired = "payment-expired", Nothing;
            /// Paid; the provider has to deliver.
            Purchased = "purchased", Funds;
            /// On its way, or there already.
            Delivered = "delivered", Funds;
            /// There; the provider was paid.
            Received = "received", Nothing;
            /// The two sides differ; the operator decides.
            Disputed = "disputed", Funds;
            /// The customer gets all of it back.
            Canceled = "canceled", Nothing;
            /// Over, but for the reviews.
            Completed = "completed", Nothing;
            /// The customer has reviewed.
            ReviewedByCustomer = "reviewed-by-customer", Nothing;
            /// The provider has reviewed.
            ReviewedByProvider = "reviewed-by-provider", Nothing;
            /// Over; the reviews are published.
            Reviewed = "reviewed", Nothing;
        }
        edges {
            /// Asks the provider something.
            inquire => Inquire records Inquired {
                /// `inquire`.
                Initial -> Inquiry by CUSTOMER, Keep, Seed;
            }
            /// Wants to buy: opens a payin.
            request_payment => RequestPayment records PaymentRequested {
                /// `request-payment`, `request-payment-after-inquiry`.
                Initial | Inquiry -> PendingPayment by CUSTOMER, Keep, Seed;
            }
            /// The money is there.
            confirm_payment(payin: &'e Payin<Confirmed>) => ConfirmPayment records PaymentConfirmed {
                /// `confirm-payment`. Published as the customer's; here it takes a confirmed payin, which only the
                /// gateway can bring about.
                PendingPayment -> Purchased by Role::GATEWAY, Collect, Seed;
            }
            /// Nobody paid.
            expire_payment => ExpirePayment records PaymentExpires {
                /// `expire-payment`, after 15 minutes.
                PendingPayment -> PaymentExpired by Role::CLOCK, Keep, Seed;
            }
            /// It is on its way.
            mark_delivered => MarkDelivered records MarkedDelivered {
                /// `mark-delivered`, `operator-mark-delivered`.
                Purchased -> Delivered by PROVIDER | OPERATOR, Keep, Seed;
            }
            /// It is there: pays the provider.
            mark_received => MarkReceived records MarkedReceived {
                /// `mark-received-from-purchased`.
                Purchased -> Received by CUSTOMER, Release, Seed;
                /// `mark-received`; `auto-mark-received` after 14 days.
                Delivered -> Received by CUSTOMER | Role::CLOCK, Release, Seed;
                /// `mark-received-from-disputed`.
                Disputed -> Received by OPERATOR, Release, Seed;
            }
            /// It is not what was bought.
            dispute(why: Prose) => Dispute records DisputeRaised {
                /// `dispute`, `operator-dispute`.
                Delivered -> Disputed by CUSTOMER | OPERATOR, Keep, Seed;
            }
            /// Calls it off: refunds the customer.
            cancel => Cancel records CalledOff {
                /// `cancel`; `auto-cancel` after 14 days.
                Purchased -> Canceled by OPERATOR | Role::CLOCK, Refund, Seed;
                /// `cancel-from-disputed`; `auto-cancel-from-disputed` after 60 days.
                Disputed -> Canceled by OPERATOR | Role::CLOCK, Refund, Seed;
            }
            /// Opens the reviews.
            complete => Complete records ReviewsOpened {
                /// `auto-complete`, at once.
                Received -> Completed by Role::CLOCK, Keep, Seed;
            }
            /// The customer's review.
            review_by_customer(text: Prose) => ReviewByCustomer records CustomerReview {
                /// `review-1-by-customer`.
                Completed -> ReviewedByCustomer by CUSTOMER, Keep, Seed;
                /// `review-2-by-customer`.
                ReviewedByProvider -> Reviewed by CUSTOMER, Keep, Seed;
            }
            /// The provider's review.
            review_by_provider(text: Prose) => ReviewByProvider records ProviderReview {
                /// `review-1-by-provider`.
                Completed -> ReviewedByProvider by PROVIDER, Keep, Seed;
                /// `review-2-by-provider`.
                ReviewedByCustomer -> Reviewed by PROVIDER, Keep, Seed;
            }
            /// The time for reviews is over.
            expire_review_period => ExpireReviewPeriod records ReviewsClosed {
                /// `expire-review-period`, `expire-provider-review-period`, `expire-customer-review-period`: 7 days
                /// after it was received.
                Completed | ReviewedByCustomer | ReviewedByProvider -> Reviewed by Role::CLOCK, Keep, Seed;
            }
        }
        notes {}
        commands Command<'e>;
    }
}

// ---- What is known of a purchase in every status. ----

/// What is bought, by whom, from whom. The first event of each purchase, too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub listing: Name,
    pub customer: PartyId,
    pub provider: PartyId,
    pub price: Money,
    /// What the marketplace keeps of the price when the provider is paid.
    pub commission: Money,
    /// Whose wallet earns the commission.
    pub marketplace: PartyId,
    pub gateway: GatewayName,
}

/// The terms, and the reviews once there are some.
#[derive(Debug)]
pub struct Facts {
    pub terms: Terms,
    pub by_customer: Option<Prose>,
    pub by_provider: Option<Prose>,
}

impl Opening<AnyPurchase> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        if self.customer == self.provider {
            return Err(Reason::SameParty);
        }
        if step.stamp().by != Actor::Party(self.customer.clone()) {
            return Err(own("customer_only", "only the customer opens a purchase: log in as the customer"));
        }
        let (asked, available) = (self.commission, self.price.require_positive()?);
        if asked.is_negative() || available.checked_sub(asked)?.is_negative() {
            return Err(Reason::TooMuch { asked, available });
        }
        Ok(())
    }
    fn held(&self) -> Money {
        Money::zero(self.price.currency())
    }
    fn facts(self, _: &Stamp) -> Facts {
        Facts { terms: self, by_customer: None, by_provider: None }
    }
}

impl lifecycle::Facts for Facts {
    // Which of the host's own roles a user plays here. Offices, the clock and gateways are told by who they are.
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        match role {
            CUSTOMER => *who == self.terms.customer,
            PROVIDER => *who == self.terms.provider,
            _ => false,
        }
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.terms.customer.clone(), self.terms.provider.clone()]
    }
}

// A reason that only this lifecycle has: a code for programs, a text for people.
fn own(code: &'static str, message: &str) -> Reason {
    match Prose::new(message) {
        Ok(message) => Reason::Own { code, message },
        Err(error) => error.into(),
    }
}

// ---- The statuses, each with what only it knows. ----

/// The first one: a lifecycle begins in its default.
#[derive(Debug, Default)]
pub struct Initial;

macro_rules! statuses {
    ($($name:ident { $($field:ident: $type:ty),* })+) => { $(
        #[derive(Debug)]
        pub struct $name {
            $($field: $type),*
        }
    )+ };
}

statuses! {
    Inquiry {}
    PendingPayment { payin: PayinId }
    PaymentExpired {}
    Purchased { paid: Paid }
    Delivered { paid: Paid }
    Received {}
    Disputed { paid: Paid, why: Prose }
    Canceled {}
    Completed {}
    ReviewedByCustomer {}
    ReviewedByProvider {}
    Reviewed {}
}

// Statuses that have a step in common share its code.

/// Nothing is paid yet, and a payment may be asked for.
pub trait Unpaid {}
impl Unpaid for Initial {}
impl Unpaid for Inquiry {}

/// The money is in escrow, and may go to the provider.
pub trait Funded {}
impl Funded for Purchased {}
impl Funded for Delivered {}
impl Funded for Disputed {}

/// The money is in escrow, and may go back to the customer.
pub trait Refundable {
    /// What was paid, and how it goes back.
    fn paid(&self) -> &Paid;
}
impl Refundable for Purchased {
    fn paid(&self) -> &Paid {
        &self.paid
    }
}
impl Refundable for Disputed {
    fn paid(&self) -> &Paid {
        &self.paid
    }
}

/// At least one review is missing.
pub trait Reviewable {}
impl Reviewable for Completed {}
impl Reviewable for ReviewedByCustomer {}
impl Reviewable for ReviewedByProvider {}
