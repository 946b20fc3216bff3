//! Writing a commit: all of it, or nothing.

use super::{MemoryError, books::Unbookable, state::State};
use crate::{
    id::Subject,
    store::{
        Answered, Appended, AppendedAll, Call, CallStatus, Commit, IfSent, Request, Settlement, Withdrawal, books_agree,
    },
};

impl State {
    pub(super) fn append(&mut self, commit: &Commit) -> Result<Appended, MemoryError> {
        if let Err(subject) = books_agree(std::slice::from_ref(commit)) {
            return Ok(Appended::Unbooked { subject });
        }
        let mark = self.mark();
        let appended = self.write_all_of(commit);
        if !matches!(appended, Ok(Appended::Stored(_))) {
            self.rewind(mark);
        }
        appended
    }

    pub(super) fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, MemoryError> {
        if let Err(subject) = books_agree(commits) {
            return Ok(AppendedAll::Refused { position: 0, why: Appended::Unbooked { subject } });
        }
        let mark = self.mark();
        let mut revisions = Vec::with_capacity(commits.len());
        for (position, commit) in commits.iter().enumerate() {
            match self.write_all_of(commit) {
                Ok(Appended::Stored(revision)) => revisions.push(revision),
                Ok(
                    why @ (Appended::Stale
                    | Appended::Overdrawn { .. }
                    | Appended::Sent { .. }
                    | Appended::Unbooked { .. }),
                ) => {
                    self.rewind(mark);
                    return Ok(AppendedAll::Refused { position, why });
                }
                Err(error) => {
                    self.rewind(mark);
                    return Err(error);
                }
            }
        }
        Ok(AppendedAll::Stored(revisions))
    }

    /// Writes a commit. Whoever calls it takes a refused one back.
    fn write_all_of(&mut self, commit: &Commit) -> Result<Appended, MemoryError> {
        let records = commit.records();
        let (first, last) = records.first().zip(records.last()).expect("a commit has at least one event");
        let gapless = records.windows(2).all(|pair| pair[0].seq.checked_add(1) == Some(pair[1].seq));
        assert!(gapless, "the events of a commit are numbered without gaps");
        if !self.is_next(commit, first.seq) || self.was_answered(commit) {
            return Ok(Appended::Stale);
        }
        let mut follows = None;
        if let Some(withdrawal) = commit.withdraws()
            && !self.withdraw(withdrawal)
        {
            match &withdrawal.if_sent {
                IfSent::Refuse => return Ok(Appended::Sent { key: withdrawal.key }),
                IfSent::Follow(call) => follows = Some(&**call),
            }
        }
        for entry in commit.entries() {
            match self.books.book(entry, commit.subject(), last.seq, last.stamp.at) {
                Ok(before) => self.booked(before),
                Err(Unbookable::Overdrawn(account)) => return Ok(Appended::Overdrawn { account }),
                Err(Unbookable::Overflow(account)) => return Err(MemoryError::Overflow { account }),
            }
        }
        let revision = self.write(commit.subject(), records, commit.index())?;
        for call in follows.into_iter().chain(commit.calls()) {
            self.enqueue(call, commit.lane())?;
        }
        for settlement in commit.settles() {
            self.settle(settlement)?;
        }
        if let Some(Request { key, digest }) = commit.request() {
            self.answer(key, Answered { digest: *digest, subject: commit.subject(), seq: last.seq });
        }
        Ok(Appended::Stored(revision))
    }

    /// Whether a commit goes on exactly where its subject stands.
    fn is_next(&self, commit: &Commit, first: u32) -> bool {
        match (commit.expected(), self.subjects.get(&commit.subject())) {
            (None, None) => first == 1,
            (Some(expected), Some(kept)) => {
                kept.revision == expected && kept.records.last().and_then(|last| last.seq.checked_add(1)) == Some(first)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    fn was_answered(&self, commit: &Commit) -> bool {
        commit.request().is_some_and(|request| self.answers.contains_key(&request.key))
    }

    /// Withdraws a call. False when somebody may have sent it.
    fn withdraw(&mut self, withdrawal: &Withdrawal) -> bool {
        let Some(row) = self.calls.row(withdrawal.key) else { return true };
        match row.state.status {
            CallStatus::Withdrawn => true,
            CallStatus::Queued | CallStatus::Held | CallStatus::Parked if row.state.sent.is_none() => {
                let mut row = row.clone();
                row.state.status = CallStatus::Withdrawn;
                self.put(withdrawal.key, row);
                true
            }
            CallStatus::Queued | CallStatus::Pending | CallStatus::Held | CallStatus::Settled | CallStatus::Parked => {
                false
            }
        }
    }

    fn enqueue(&mut self, call: &Call, lane: Subject) -> Result<(), MemoryError> {
        let key = call.instruction.key();
        if self.calls.row(key).is_some() {
            return Err(MemoryError::DuplicateCall { key });
        }
        let row = self.calls.fresh(call, lane);
        self.put(key, row);
        Ok(())
    }

    fn settle(&mut self, settlement: &Settlement) -> Result<(), MemoryError> {
        let Settlement { key, outcome } = settlement;
        let mut row = self.calls.row(*key).ok_or(MemoryError::UnknownCall { key: *key })?.clone();
        if outcome.is_final() {
            row.state.status = CallStatus::Settled;
        } else {
            // The gateway has it.
            row.state.status = CallStatus::Pending;
            row.state.sent = Some(0);
        }
        row.state.outcome = Some(outcome.clone());
        row.lease = None;
        self.put(*key, row);
        Ok(())
    }
}
