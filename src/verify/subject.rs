//! One subject: its log retraced, and compared with its index row, its parties, its entries and its calls.

use super::{Difference, Field, Part, Reading, Verified, Verifier, books::Sums, calls};
use crate::{
    id::Subject,
    ledger::{Account, Entry},
    lifecycle::{Retraced, Written, replay},
    money::Money,
    party::PartyId,
    payment::{AnyPayin, AnyRefund, PayinId},
    store::{BookedEntry, IndexEntry, Inventory, Log, Outbox, Store, UnitOfWork, Views},
};
use uuid::Uuid;

impl Verifier {
    /// Everything that is wrong with a subject.
    pub(super) async fn subject<S: Store>(
        &self,
        reading: &mut Reading<'_, S>,
        subject: Subject,
        seen: &mut Verified,
    ) -> Result<Vec<Difference>, S::Error> {
        let mut found = Vec::new();
        let row = match reading.unit().await?.row(subject).await {
            Ok(row) => Some(row),
            Err(cause) => {
                found.push(reading.unreadable(Part::Row(subject), cause));
                None
            }
        };
        let log = match reading.unit().await?.log(subject).await {
            Ok(log) => log.filter(|log| !log.records.is_empty()),
            Err(cause) => {
                found.push(reading.unreadable(Part::Log(subject), cause));
                return Ok(found);
            }
        };
        seen.subjects += 1;
        if row == Some(None) {
            found.push(Difference::RowMissing { subject });
        }
        let Some(log) = log else {
            // A store may look for a log by way of the row.
            if row != Some(None) {
                found.push(Difference::LogMissing { subject });
            }
            return Ok(found);
        };
        seen.events += log.records.len();
        let Some(retrace) = self.retraces(subject.kind()) else {
            found.push(Difference::UnknownLifecycle { subject });
            return Ok(found);
        };
        let traced = match retrace(&log) {
            Ok(traced) => traced,
            Err(corrupt) => {
                found.push(Difference::Log(corrupt));
                return Ok(found);
            }
        };
        if let Some(Some(row)) = row {
            compare_row(&traced, row, &mut found);
        }
        parties(reading, subject, &traced, &mut found).await?;
        self.entries(reading, &log, &traced, seen, &mut found).await?;
        calls(reading, &log, &traced, seen, &mut found).await?;
        refunds(reading, &log, &mut found).await?;
        Ok(found)
    }

    async fn entries<S: Store>(
        &self,
        reading: &mut Reading<'_, S>,
        log: &Log,
        traced: &Retraced,
        seen: &mut Verified,
        found: &mut Vec<Difference>,
    ) -> Result<(), S::Error> {
        let (subject, account) = (log.subject, Account::Escrow(log.subject));
        let (mut own, mut sums, mut after) = (Vec::new(), Sums::default(), 0);
        loop {
            let page = match reading.unit().await?.entries(&account, after, self.page).await {
                Ok(page) => page,
                Err(cause) => {
                    found.push(reading.unreadable(Part::Entries(account), cause));
                    return Ok(());
                }
            };
            let whole = page.len() < self.page;
            for booked in page {
                after = booked.number;
                sums.add(&account, &booked);
                // What others gave is in their logs.
                if booked.subject == subject {
                    own.push(booked);
                }
            }
            if whole {
                break;
            }
        }
        seen.entries += own.len();
        let held = traced.row.held;
        for entries in sums.with(held.currency()) {
            let log = if entries.currency() == held.currency() { held } else { Money::zero(entries.currency()) };
            if entries != log {
                found.push(Difference::Held { subject, log, entries });
            }
        }
        compare_entries(log, &traced.written, own, found);
        Ok(())
    }
}

fn compare_row(traced: &Retraced, row: IndexEntry, found: &mut Vec<Difference>) {
    let (log, subject) = (&traced.row, row.subject);
    let mut differs = |field| found.push(Difference::Row { subject, field });
    if log.lifecycle != row.lifecycle {
        differs(Field::Lifecycle { log: log.lifecycle, row: row.lifecycle });
    }
    if log.status != row.status {
        differs(Field::Status { log: log.status, row: row.status });
    }
    if *log.parties != *row.parties {
        differs(Field::Parties { log: log.parties.to_vec(), row: row.parties });
    }
    if log.about != row.about {
        differs(Field::About { log: log.about, row: row.about });
    }
    if log.deadline != row.deadline {
        differs(Field::Deadline { log: log.deadline, row: row.deadline });
    }
    if log.held != row.held {
        differs(Field::Held { log: log.held, row: row.held });
    }
}

// Whether each party finds it.
async fn parties<S: Store>(
    reading: &mut Reading<'_, S>,
    subject: Subject,
    traced: &Retraced,
    found: &mut Vec<Difference>,
) -> Result<(), S::Error> {
    let Some(before) = just_before(subject) else { return Ok(()) };
    for party in traced.row.parties.iter() {
        match reading.unit().await?.members(Some((party, before)), 1).await {
            Ok(next) if is_member(next.first(), party, subject) => {}
            Ok(_) => found.push(Difference::PartyMissing { subject, party: party.clone() }),
            Err(cause) => found.push(reading.unreadable(Part::Parties(Some((party.clone(), before))), cause)),
        }
    }
    Ok(())
}

fn is_member(next: Option<&(PartyId, Subject)>, party: &PartyId, subject: Subject) -> bool {
    next.is_some_and(|(of, found)| of == party && *found == subject)
}

// The id that comes right before another. None is a UUID of zeros, which no clock makes.
fn just_before(subject: Subject) -> Option<Subject> {
    let number = subject.uuid().as_u128().checked_sub(1)?;
    Some(Subject::new(subject.kind(), Uuid::from_u128(number)))
}

// The books keep the order in which the events booked, so both lists are gone through side by side.
fn compare_entries(log: &Log, written: &[Written], own: Vec<BookedEntry>, found: &mut Vec<Difference>) {
    let mut wanted: Vec<_> =
        written.iter().flat_map(|event| event.entries.iter().map(move |entry| (event.seq, entry))).collect();
    wanted.reverse();
    let mut booked = own;
    booked.reverse();
    let mut last = 0;
    loop {
        match (wanted.last().copied(), booked.last()) {
            (None, None) => return,
            (Some((seq, entry)), Some(is)) if tells(is, entry) => {
                // A commit's entries stand at its last event, and its events follow each other: what is booked by an event
                // that the entry before stands at or after was in the same commit.
                let in_place = if seq <= last { is.seq == last } else { is.seq >= seq };
                let stands = log.records.iter().find(|record| record.seq == is.seq);
                if !in_place || stands.is_none_or(|record| record.stamp.at != is.at) {
                    found.push(Difference::EntryMisplaced { seq, booked: Box::new(is.clone()) });
                }
                last = is.seq.max(seq);
                wanted.pop();
                booked.pop();
            }
            (Some((seq, entry)), Some(is)) if wanted.len() == booked.len() => {
                let (entry, booked_as) = (Box::new(entry.clone()), Box::new(is.clone()));
                found.push(Difference::EntryAltered { seq, entry, booked: booked_as });
                wanted.pop();
                booked.pop();
            }
            (Some((seq, entry)), rest) if rest.is_none() || wanted.len() > booked.len() => {
                let entry = Box::new(entry.clone());
                found.push(Difference::EntryMissing { subject: log.subject, seq, entry });
                wanted.pop();
            }
            (_, Some(is)) => {
                found.push(Difference::EntryExtra { booked: Box::new(is.clone()) });
                booked.pop();
            }
            (Some(_), None) => unreachable!("what is wanted and not there is missing"),
        }
    }
}

fn tells(booked: &BookedEntry, entry: &Entry) -> bool {
    booked.from == *entry.from()
        && booked.to == *entry.to()
        && booked.amount == entry.amount()
        && booked.purpose == entry.purpose()
}

// What a payin counts as refunded moved between other accounts, so only the refunds themselves can tell.
async fn refunds<S: Store>(
    reading: &mut Reading<'_, S>,
    log: &Log,
    found: &mut Vec<Difference>,
) -> Result<(), S::Error> {
    let payin = log.subject;
    if PayinId::try_from(payin).is_err() {
        return Ok(());
    }
    let (counted, ids) = match replay(log) {
        Ok(AnyPayin::Confirmed(payin)) => (payin.state().refunded(), payin.state().refunds().to_vec()),
        Ok(AnyPayin::Refunded(payin)) => (payin.facts().amount, payin.state().refunds().to_vec()),
        Ok(AnyPayin::Created(_) | AnyPayin::Authorized(_) | AnyPayin::Denied(_) | AnyPayin::Cancelled(_)) | Err(_) => {
            return Ok(());
        }
    };
    let mut sum = Sums::default();
    for id in ids {
        // One that cannot be read is told of by itself, and is missing here. One that came back was counted once, and what
        // sends it again is not.
        let refund = reading.unit().await?.log(id.subject()).await;
        if let Ok(Some(log)) = refund
            && let Ok(refund @ (AnyRefund::Confirmed(_) | AnyRefund::Returned(_))) = replay(&log)
            && refund.facts().payin.subject() == payin
            && refund.facts().again.is_none()
        {
            sum.count(refund.facts().amount);
        }
    }
    for refunds in sum.with(counted.currency()) {
        if refunds != counted {
            found.push(Difference::Refunded { payin, log: counted, refunds });
        }
    }
    Ok(())
}

async fn calls<S: Store>(
    reading: &mut Reading<'_, S>,
    log: &Log,
    traced: &Retraced,
    seen: &mut Verified,
    found: &mut Vec<Difference>,
) -> Result<(), S::Error> {
    let asked = calls::asked(&traced.written);
    let lane = traced.row.about.unwrap_or(log.subject);
    let mut kept = calls::Kept::new();
    for key in calls::keys(log.subject, &asked) {
        let call = match reading.unit().await?.call(&key).await {
            Ok(call) => call,
            Err(cause) => {
                found.push(reading.unreadable(Part::Call(key), cause));
                return Ok(());
            }
        };
        let Some(call) = call else { continue };
        seen.calls += 1;
        match reading.unit().await?.lane(&key).await {
            Ok(in_lane) => kept.insert(key, (call, in_lane)),
            Err(cause) => {
                found.push(reading.unreadable(Part::Call(key), cause));
                return Ok(());
            }
        };
    }
    calls::compare(&asked, lane, &kept, found);
    Ok(())
}
