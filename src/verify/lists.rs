//! The lists of a store, row by row: the subjects, and what belongs to none.

use super::{Difference, Part, Place, Reading, Step, Verified, Verifier, list};
use crate::{
    gateway::{IdempotencyKey, KeyError},
    id::Subject,
    party::PartyId,
    store::{CallStatus, Inventory, Outbox, RequestKey, Store, UnitOfWork},
};

impl Verifier {
    pub(super) async fn subjects<S: Store>(&self, store: &S, mut after: Option<Subject>) -> Result<Step, S::Error> {
        let (mut seen, mut found, mut reading) = (Verified::default(), Vec::new(), Reading::of(store));
        let subjects = match list!(reading, self.page, |unit, limit| unit.subjects(after, limit)) {
            Ok(subjects) => subjects,
            Err(cause) => {
                found.push(reading.unreadable(Part::Subjects(after), cause));
                return Ok(Step::new(Some(Place::ACCOUNTS), seen, found));
            }
        };
        if subjects.is_empty() {
            return Ok(Step::new(Some(Place::ACCOUNTS), seen, found));
        }
        for subject in subjects {
            let mut looked = seen;
            let mut differences = self.subject(&mut reading, subject, &mut looked).await?;
            if !differences.is_empty() {
                // Somebody may have written between what was read first and last.
                reading.renew();
                looked = seen;
                differences = self.subject(&mut reading, subject, &mut looked).await?;
            }
            seen = looked;
            found.append(&mut differences);
            after = Some(subject);
        }
        Ok(Step::new(Some(Place::Subjects { after }), seen, found))
    }

    pub(super) async fn calls<S: Store>(
        &self,
        store: &S,
        status: CallStatus,
        mut after: Option<String>,
    ) -> Result<Step, S::Error> {
        let (mut found, mut reading) = (Vec::new(), Reading::of(store));
        let later = CallStatus::ALL.into_iter().skip_while(|other| *other != status).nth(1);
        let then = later.map_or(Place::PARTIES, |status| Place::Calls { status, after: None });
        let calls = match list!(reading, self.page, |unit, limit| unit.calls(status, after.as_deref(), limit)) {
            Ok(calls) => calls,
            Err(cause) => {
                found.push(reading.unreadable(Part::Calls(status, after), cause));
                return Ok(Step::new(Some(then), Verified::default(), found));
            }
        };
        if calls.is_empty() {
            return Ok(Step::new(Some(then), Verified::default(), found));
        }
        for call in calls {
            let id = match call {
                Ok(call) => {
                    let key = call.instruction.key();
                    belongs(&mut reading, key, || Difference::CallExtra { key }, &mut found).await?;
                    key.to_string()
                }
                Err(cause) => {
                    let id = cause.id.clone();
                    match id.parse() {
                        Ok(key) => {
                            let told = || Difference::unreadable(Part::Call(key), cause);
                            belongs(&mut reading, key, told, &mut found).await?;
                        }
                        Err(KeyError { .. }) => {
                            found.push(Difference::unreadable(Part::Calls(status, after.clone()), cause));
                        }
                    }
                    id
                }
            };
            // Text that the store cannot hand out as it is may not lead on.
            if after.as_ref().is_some_and(|after| *after >= id) {
                return Ok(Step::new(Some(then), Verified::default(), found));
            }
            after = Some(id);
        }
        Ok(Step::new(Some(Place::Calls { status, after }), Verified::default(), found))
    }

    pub(super) async fn parties<S: Store>(
        &self,
        store: &S,
        mut after: Option<(PartyId, Subject)>,
    ) -> Result<Step, S::Error> {
        let (mut found, mut reading) = (Vec::new(), Reading::of(store));
        let last = after.as_ref().map(|(party, subject)| (party, *subject));
        let members = match list!(reading, self.page, |unit, limit| unit.members(last, limit)) {
            Ok(members) => members,
            Err(cause) => {
                found.push(reading.unreadable(Part::Parties(after), cause));
                return Ok(Step::new(Some(Place::REQUESTS), Verified::default(), found));
            }
        };
        if members.is_empty() {
            return Ok(Step::new(Some(Place::REQUESTS), Verified::default(), found));
        }
        for (party, subject) in members {
            match reading.unit().await?.row(subject).await {
                Ok(Some(row)) if row.parties.contains(&party) => {}
                Ok(_) => found.push(Difference::PartyExtra { subject, party: party.clone() }),
                Err(cause) => found.push(reading.unreadable(Part::Row(subject), cause)),
            }
            after = Some((party, subject));
        }
        Ok(Step::new(Some(Place::Parties { after }), Verified::default(), found))
    }

    pub(super) async fn requests<S: Store>(&self, store: &S, mut after: Option<RequestKey>) -> Result<Step, S::Error> {
        let (mut seen, mut found, mut reading) = (Verified::default(), Vec::new(), Reading::of(store));
        let requests = match list!(reading, self.page, |unit, limit| unit.requests(after.as_ref(), limit)) {
            Ok(requests) => requests,
            Err(cause) => {
                found.push(reading.unreadable(Part::Requests(after), cause));
                return Ok(Step::new(None, seen, found));
            }
        };
        if requests.is_empty() {
            return Ok(Step::new(None, seen, found));
        }
        for (key, answered) in requests {
            match reading.unit().await?.log(answered.subject).await {
                Ok(Some(log)) if log.records.iter().any(|record| record.seq == answered.seq) => {}
                Ok(_) => found.push(Difference::Request { key: key.clone(), answered }),
                Err(cause) => found.push(reading.unreadable(Part::Log(answered.subject), cause)),
            }
            seen.requests += 1;
            after = Some(key);
        }
        Ok(Step::new(Some(Place::Requests { after }), seen, found))
    }
}

// Calls of a subject were looked at with it.
async fn belongs<S: Store>(
    reading: &mut Reading<'_, S>,
    key: IdempotencyKey,
    otherwise: impl FnOnce() -> Difference,
    found: &mut Vec<Difference>,
) -> Result<(), S::Error> {
    match reading.unit().await?.row(key.subject).await {
        Ok(Some(_)) => {}
        Ok(None) => found.push(otherwise()),
        Err(cause) => found.push(reading.unreadable(Part::Row(key.subject), cause)),
    }
    Ok(())
}
