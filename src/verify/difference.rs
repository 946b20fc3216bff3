//! What a store says otherwise than its logs.

use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome},
    id::Subject,
    ledger::{Account, Entry, GatewayName},
    lifecycle::Corrupt,
    money::Money,
    party::PartyId,
    store::{Answered, BookedEntry, CallState, CallStatus, RequestKey},
    time::Timestamp,
};
use std::{error::Error, fmt};

/// One thing that a store says otherwise than the logs in it. Never repaired and never guessed: a person has to look at it.
#[derive(Debug)]
pub enum Difference {
    /// Something cannot be read, so that nobody can say whether it is right.
    Unreadable {
        /// What.
        part: Part,
        /// The storage's own error.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// No lifecycle with such ids is registered: nothing about this subject was verified.
    UnknownLifecycle {
        /// Whose log it is.
        subject: Subject,
    },
    /// The log is no history of its lifecycle, or was written by a later version of the program.
    Log(Corrupt),
    /// There is a log, but no index row: no query finds it, and no step can go on from it.
    RowMissing {
        /// Whose.
        subject: Subject,
    },
    /// There is an index row, but no log.
    LogMissing {
        /// Whose.
        subject: Subject,
    },
    /// The index row says otherwise than the log.
    Row {
        /// Whose.
        subject: Subject,
        /// What of it, and what both say.
        field: Field,
    },
    /// A party is not found by a query for it, though the log names it.
    PartyMissing {
        /// Where it should be found.
        subject: Subject,
        /// Who.
        party: PartyId,
    },
    /// A party is found by a query for it, though the index row does not name it.
    PartyExtra {
        /// Where it is found.
        subject: Subject,
        /// Who.
        party: PartyId,
    },
    /// The entries on an escrow account add up to something else than its log says that it holds.
    Held {
        /// Whose account.
        subject: Subject,
        /// What the log says, in minor units.
        log: Money,
        /// What the entries add up to, in minor units.
        entries: Money,
    },
    /// An event booked an entry that is not in the books.
    EntryMissing {
        /// Whose event.
        subject: Subject,
        /// The event's number.
        seq: u32,
        /// The entry as it should be.
        entry: Box<Entry>,
    },
    /// An entry in the books is not the one that its event booked.
    EntryAltered {
        /// The event's number.
        seq: u32,
        /// The entry as it should be.
        entry: Box<Entry>,
        /// The entry as it is.
        booked: Box<BookedEntry>,
    },
    /// An entry in the books that no event of its subject booked.
    EntryExtra {
        /// The entry.
        booked: Box<BookedEntry>,
    },
    /// An entry stands at an event that cannot have been the last of its commit, or at another time than that event.
    EntryMisplaced {
        /// The number of the event that booked it.
        seq: u32,
        /// The entry.
        booked: Box<BookedEntry>,
    },
    /// A payin counts more or less as refunded than its confirmed refunds say.
    Refunded {
        /// The payin.
        payin: Subject,
        /// What its log counts, in minor units.
        log: Money,
        /// What the logs of those refunds say, in minor units.
        refunds: Money,
    },
    /// A balance is not what the entries on the account add up to; or there is none for what was booked.
    Balance {
        /// The account.
        account: Account,
        /// What the entries add up to, in minor units.
        entries: Money,
        /// What is kept, in minor units; `None` when nothing is.
        kept: Option<Money>,
    },
    /// The debts of a party say that it owes something else than the entries on its account.
    Owed {
        /// The account.
        account: Account,
        /// What remains of the debts, below zero, in minor units.
        debts: Money,
        /// What the entries add up to, in minor units.
        entries: Money,
    },
    /// An escrow account of something that has no index row.
    AccountExtra {
        /// The account.
        account: Account,
    },
    /// An event asked for a call that is not in the outbox.
    CallMissing {
        /// The call.
        key: IdempotencyKey,
        /// The number of the event that asked.
        seq: u32,
    },
    /// A call in the outbox that no log asked for.
    CallExtra {
        /// The call.
        key: IdempotencyKey,
    },
    /// A call in the outbox is not the one that was asked for, or stands where its log cannot have brought it.
    Call {
        /// The call.
        key: IdempotencyKey,
        /// What of it, and what both say.
        field: CallField,
    },
    /// A request that is said to have written an event which is not there.
    Request {
        /// The host's key.
        key: RequestKey,
        /// What is kept of it.
        answered: Answered,
    },
}

/// What cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The list of subjects after this one.
    Subjects(Option<Subject>),
    /// An index row.
    Row(Subject),
    /// A log.
    Log(Subject),
    /// The entries on an account.
    Entries(Account),
    /// The balances of an account.
    Balances(Account),
    /// The list of accounts after this one.
    Accounts(Option<Account>),
    /// A call.
    Call(IdempotencyKey),
    /// The list of calls in a status after this one.
    Calls(CallStatus, Option<String>),
    /// The list by which parties find their subjects, after this one.
    Parties(Option<(PartyId, Subject)>),
    /// The list of requests after this one.
    Requests(Option<RequestKey>),
}

/// What of an index row differs: what the log says, and what the row says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "`log` and `row` everywhere: what each of them says")]
pub enum Field {
    /// The lifecycle's name.
    Lifecycle { log: &'static str, row: String },
    /// The status's name.
    Status { log: &'static str, row: String },
    /// Whom it concerns.
    Parties { log: Vec<PartyId>, row: Vec<PartyId> },
    /// What it belongs to.
    About { log: Option<Subject>, row: Option<Subject> },
    /// When the clock acts on it (UTC).
    Deadline { log: Option<Timestamp>, row: Option<Timestamp> },
    /// What its escrow account holds, in minor units.
    Held { log: Money, row: Money },
}

/// What of a call differs: what the log says, and what the outbox says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "`log` and `kept` everywhere: what each of them says")]
pub enum CallField {
    /// For which gateway.
    Gateway { log: GatewayName, kept: GatewayName },
    /// What it is asked.
    Instruction { log: Box<Instruction>, kept: Box<Instruction> },
    /// When it is due, as long as nobody has taken it (UTC).
    Due { log: Timestamp, kept: Timestamp },
    /// Whose calls it is kept in order with.
    Lane { log: Subject, kept: Option<Subject> },
    /// The last answer.
    Outcome { log: Option<Outcome>, kept: Option<Outcome> },
    /// Where it stands. The log leaves a choice to the workers, so this tells all that is kept.
    Status { kept: Box<CallState> },
}

impl Difference {
    /// Whom it is about, if it is about one subject: whose log, row, account, entry or call.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Unreadable { part, .. } => part.subject(),
            Self::Log(corrupt) => Some(corrupt.subject),
            Self::UnknownLifecycle { subject }
            | Self::RowMissing { subject }
            | Self::LogMissing { subject }
            | Self::Row { subject, .. }
            | Self::PartyMissing { subject, .. }
            | Self::PartyExtra { subject, .. }
            | Self::Held { subject, .. }
            | Self::EntryMissing { subject, .. } => Some(*subject),
            Self::Refunded { payin, .. } => Some(*payin),
            Self::EntryAltered { booked, .. } | Self::EntryExtra { booked } | Self::EntryMisplaced { booked, .. } => {
                Some(booked.subject)
            }
            Self::Balance { account, .. } | Self::Owed { account, .. } | Self::AccountExtra { account } => {
                owner(account)
            }
            Self::CallMissing { key, .. } | Self::CallExtra { key } | Self::Call { key, .. } => Some(key.subject),
            Self::Request { answered, .. } => Some(answered.subject),
        }
    }

    pub(super) fn unreadable(part: Part, cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Unreadable { part, cause: Box::new(cause) }
    }
}

impl Part {
    fn subject(&self) -> Option<Subject> {
        match self {
            Self::Row(subject) | Self::Log(subject) => Some(*subject),
            Self::Entries(account) | Self::Balances(account) => owner(account),
            Self::Call(key) => Some(key.subject),
            Self::Subjects(_) | Self::Accounts(_) | Self::Calls(..) | Self::Parties(_) | Self::Requests(_) => None,
        }
    }
}

fn owner(account: &Account) -> Option<Subject> {
    match account {
        Account::Escrow(subject) => Some(*subject),
        Account::World(_) | Account::Wallet(_) | Account::Debt(_) => None,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { part, cause } => write!(f, "{part} cannot be read: {cause}"),
            Self::UnknownLifecycle { subject } => write!(f, "{subject} is of a lifecycle that is not registered"),
            Self::Log(corrupt) => write!(f, "{corrupt}"),
            Self::RowMissing { subject } => write!(f, "{subject} has a log, but no index row"),
            Self::LogMissing { subject } => write!(f, "{subject} has an index row, but no log"),
            Self::Row { subject, field } => write!(f, "the index row of {subject} differs: {field:?}"),
            Self::PartyMissing { subject, party } => write!(f, "{subject} is not found by its party {party}"),
            Self::PartyExtra { subject, party } => write!(f, "{subject} is found by {party}, who is no party of it"),
            Self::Held { subject, log, entries } => {
                write!(f, "{subject} holds {log} by its log, and {entries} by the entries")
            }
            Self::EntryMissing { subject, seq, entry } => {
                write!(f, "event {seq} of {subject} booked what is not in the books: {entry:?}")
            }
            Self::EntryAltered { seq, entry, booked } => {
                write!(f, "event {seq} of {} booked {entry:?}, and the books say {booked:?}", booked.subject)
            }
            Self::EntryExtra { booked } => write!(f, "no event of {} booked {booked:?}", booked.subject),
            Self::EntryMisplaced { seq, booked } => {
                write!(f, "event {seq} of {} booked what stands elsewhere: {booked:?}", booked.subject)
            }
            Self::Refunded { payin, log, refunds } => {
                write!(f, "{payin} counts {log} as refunded, and its refunds say {refunds}")
            }
            Self::Balance { account, entries, kept: Some(kept) } => {
                write!(f, "account {account} has a balance of {kept}, and entries of {entries}")
            }
            Self::Balance { account, entries, kept: None } => {
                write!(f, "account {account} has no balance, and entries of {entries}")
            }
            Self::Owed { account, debts, entries } => {
                write!(f, "account {account} has entries of {entries}, and its debts say {debts}")
            }
            Self::AccountExtra { account } => write!(f, "account {account} belongs to nothing"),
            Self::CallMissing { key, seq } => write!(f, "call {key} of event {seq} is not in the outbox"),
            Self::CallExtra { key } => write!(f, "no log asked for call {key}"),
            Self::Call { key, field } => write!(f, "call {key} differs: {field:?}"),
            Self::Request { key, answered } => {
                write!(f, "request {key} wrote event {} of {}, which is not there", answered.seq, answered.subject)
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, what: &str, after: Option<&dyn fmt::Display>| match after {
            Some(after) => write!(f, "the list of {what} after {after}"),
            None => write!(f, "the list of {what}"),
        };
        match self {
            Self::Subjects(after) => list(f, "subjects", after.as_ref().map(|after| after as _)),
            Self::Row(subject) => write!(f, "the index row of {subject}"),
            Self::Log(subject) => write!(f, "the log of {subject}"),
            Self::Entries(account) => write!(f, "the entries on {account}"),
            Self::Balances(account) => write!(f, "the balances of {account}"),
            Self::Accounts(after) => list(f, "accounts", after.as_ref().map(|after| after as _)),
            Self::Call(key) => write!(f, "call {key}"),
            Self::Calls(status, after) => {
                list(f, &format!("calls that are {}", status.name()), after.as_ref().map(|after| after as _))
            }
            Self::Parties(after) => list(f, "parties", after.as_ref().map(|(party, _)| party as _)),
            Self::Requests(after) => list(f, "requests", after.as_ref().map(|after| after as _)),
        }
    }
}
