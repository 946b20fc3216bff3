//! Deaths inside the write of a COMMIT: the write-ahead log ends anywhere, or has a hole. What is left is what the
//! last whole COMMIT made of it.

use crate::{
    harness::seed,
    market::{
        Dice, Market, Plot,
        audit::{audit, audit_the_end},
        rows,
    },
};
use escrowed::{
    sqlite::{Sqlite, SqliteError, SqliteUnit},
    store::Store,
};
use futures_lite::future::block_on;
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// SQLite's write-ahead log, as its file format describes it: a header, and frames of one page each.
pub(crate) struct Wal {
    bytes: Vec<u8>,
    pub(crate) frames: Vec<Frame>,
}

pub(crate) struct Frame {
    /// Where it ends in the file.
    pub(crate) end: usize,
    /// Whether it is the last of a COMMIT.
    pub(crate) commits: bool,
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

fn wal_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

impl Wal {
    /// The one that belongs to a file; empty if there is none.
    pub(crate) fn beside(file: &Path) -> Self {
        let bytes = fs::read(wal_of(file)).unwrap_or_default();
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let mut frames = Vec::new();
        if bytes.len() >= HEADER {
            let page = usize::try_from(number(8)).unwrap();
            let mut begin = HEADER;
            // A frame of an earlier round of the log has other salts.
            while begin + FRAME_HEADER + page <= bytes.len() && bytes[begin + 8..begin + 16] == bytes[16..24] {
                let end = begin + FRAME_HEADER + page;
                frames.push(Frame { end, commits: number(begin + 4) > 0 });
                begin = end;
            }
        }
        Self { bytes, frames }
    }
}

/// A store that notes after each COMMIT how long the write-ahead log is, and what the file says.
struct Noting {
    store: Sqlite,
    file: PathBuf,
    notes: Mutex<Vec<(usize, String)>>,
}

impl Store for Noting {
    type Unit = SqliteUnit;
    type Error = SqliteError;

    async fn begin(&self) -> Result<SqliteUnit, SqliteError> {
        self.store.begin().await
    }

    async fn commit(&self, unit: SqliteUnit) -> Result<(), SqliteError> {
        self.store.commit(unit).await?;
        let end = Wal::beside(&self.file).frames.last().map_or(0, |frame| frame.end);
        let seen = everything(&Connection::open(&self.file).unwrap());
        self.notes.lock().unwrap().push((end, seen));
        Ok(())
    }
}

/// All rows of all tables but the times of the migrations.
fn everything(connection: &Connection) -> String {
    let rows = |query: &str| rows(connection, query).unwrap();
    let tables = rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let tables = tables.iter().filter(|table| *table != "escrowed_migrations" && !table.starts_with("sqlite_"));
    tables.flat_map(|table| rows(&format!("SELECT * FROM {table}"))).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_log_that_ends_anywhere_or_has_a_hole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    let notes = block_on(note_everything(&file));
    let wal = Wal::beside(&file);
    let base = fs::read(&file).unwrap();
    let opened = notes.first().expect("a COMMIT").0;
    let later: Vec<&Frame> = wal.frames.iter().filter(|frame| frame.end >= opened).collect();
    let mut dice = Dice(seed());
    let mut inside = 0;
    const CUTS: usize = 120;
    for nth in 0..CUTS {
        let frame = later[nth * (later.len() - 1) / CUTS + 1];
        let before = frame.end - later[0].end.min(frame.end);
        let page = wal.frames[1].end - wal.frames[0].end;
        assert!(before >= page);
        let into = usize::try_from(dice.below(u64::try_from(page).unwrap())).unwrap();
        let end = frame.end - into;
        let mut bytes = wal.bytes[..if nth % 2 == 0 { end } else { wal.bytes.len() }].to_vec();
        if nth % 2 == 1 {
            // What was to be there has not arrived, what comes after it has.
            bytes[frame.end - page..frame.end].fill(0);
        }
        let whole = if nth % 2 == 0 { end } else { frame.end - page };
        let (committed, wanted) = notes.iter().rev().find(|(end, _)| *end <= whole).expect("an earlier COMMIT");
        inside += usize::from(*committed != whole);
        let cut = folder.path().join(format!("{nth}.db"));
        fs::write(&cut, &base).unwrap();
        fs::write(wal_of(&cut), bytes).unwrap();
        block_on(look_at(&cut, wanted, nth % 12 == 0));
    }
    eprintln!("{CUTS} torn logs, {inside} of them inside a commit, {} commits in all", notes.len());
    assert!(inside * 2 > CUTS);
}

async fn note_everything(file: &Path) -> Vec<(usize, String)> {
    let connection = Connection::open(file).unwrap();
    // Everything stays in the log, from the first frame on.
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let store = Sqlite::from_connection(connection).unwrap();
    let noting = Noting { store, file: file.to_owned(), notes: Mutex::default() };
    let market = Market::open(noting, 1, false).await;
    market.open_missing(&Plot::ALL).await;
    market.run().await;
    audit_the_end(&market).await;
    let notes = std::mem::take(&mut *market.shop.escrow.store().notes.lock().unwrap());
    // Never closed, as if it had died: closing would move the log into the file.
    std::mem::forget(market);
    notes
}

async fn look_at(file: &Path, wanted: &str, to_the_end: bool) {
    let store = Sqlite::open(file).unwrap();
    assert_eq!(everything(store.begin().await.unwrap().connection()), wanted);
    let market = Market::open(store, 2, false).await;
    audit(&market, &[]).await;
    if to_the_end {
        market.open_missing(&Plot::ALL).await;
        market.run().await;
        audit(&market, &[]).await;
        audit_the_end(&market).await;
    }
}
