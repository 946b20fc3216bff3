//! The lines of a CSV file, one at a time.

use super::{LineProblem, Separator, SettlementFileError, file::LONGEST};
use csv::{ByteRecord, ReaderBuilder, Terminator};
use std::io::{BufRead, BufReader, Read};

/// The lines of a file that are not empty, each with the number that it begins at.
///
/// Lines are put together here and taken apart by the `csv` crate, one by one: by itself it has no limit to the length of
/// one, counts them otherwise for each kind of line break, and takes a quote wherever it is.
#[derive(Debug)]
pub(super) struct Lines<R> {
    // None once nothing more can come.
    file: Option<BufReader<R>>,
    separator: u8,
    // Of the line that is read next.
    number: u64,
    bytes: Vec<u8>,
}

/// Where in a cell a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Begins,
    Plain,
    Quoted,
    // After a quote in a quoted cell: its end, or the first half of a quote that is meant.
    Closed,
    // After a carriage return that follows the end of a quoted cell.
    Ended,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(file: R, separator: Separator) -> Self {
        let separator = match separator {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        };
        Self { file: Some(BufReader::new(file)), separator, number: 1, bytes: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Option<Result<(u64, ByteRecord), SettlementFileError>> {
        loop {
            let line = self.number;
            match self.whole() {
                Ok(false) => return None,
                Ok(true) if self.bytes.is_empty() => {}
                Ok(true) => return Some(Ok((line, self.cells()))),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Reads the next line with all its quoted line breaks, without the one that ends it. False when there is none.
    fn whole(&mut self) -> Result<bool, SettlementFileError> {
        let Some(mut file) = self.file.take() else { return Ok(false) };
        let (line, mut cell) = (self.number, Cell::Begins);
        let refused = |problem| Err(SettlementFileError::Line { line, problem });
        self.bytes.clear();
        loop {
            let begin = self.bytes.len();
            let room = (LONGEST + 1 - begin) as u64;
            let read = file.by_ref().take(room).read_until(b'\n', &mut self.bytes);
            if read.map_err(|error| SettlementFileError::Read { line, error })? == 0 {
                return if begin > 0 { refused(LineProblem::OpenQuote) } else { Ok(false) };
            }
            if self.bytes.len() > LONGEST {
                return refused(LineProblem::TooLong);
            }
            if self.number == 1 && self.bytes.starts_with(b"\xef\xbb\xbf") {
                self.bytes.drain(..3);
            }
            self.number += 1;
            for byte in &self.bytes[begin..] {
                let Some(next) = cell.then(*byte, self.separator) else {
                    self.file = Some(file);
                    return refused(LineProblem::StrayQuote);
                };
                cell = next;
            }
            if cell != Cell::Quoted {
                self.file = Some(file);
                self.trim();
                return Ok(true);
            }
        }
    }

    /// Takes off the line break that ends it.
    fn trim(&mut self) {
        for end in [b'\n', b'\r'] {
            if self.bytes.last() == Some(&end) {
                self.bytes.pop();
            }
        }
    }

    fn cells(&self) -> ByteRecord {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(self.bytes.len())
            .from_reader(&self.bytes[..]);
        let mut cells = ByteRecord::new();
        let read = reader.read_byte_record(&mut cells);
        debug_assert!(
            read.is_ok_and(|any| any),
            "bytes in memory are read, and cells are taken however many there are"
        );
        cells
    }
}

impl Cell {
    /// Where the next byte is, if this one may stand here (RFC 4180).
    fn then(self, byte: u8, separator: u8) -> Option<Self> {
        match self {
            Self::Quoted if byte == b'"' => Some(Self::Closed),
            Self::Quoted => Some(Self::Quoted),
            Self::Begins | Self::Closed if byte == b'"' => Some(Self::Quoted),
            Self::Plain if byte == b'"' => None,
            Self::Begins | Self::Plain | Self::Closed if byte == separator => Some(Self::Begins),
            Self::Closed if byte == b'\r' => Some(Self::Ended),
            Self::Closed | Self::Ended if byte == b'\n' => Some(Self::Ended),
            Self::Closed | Self::Ended => None,
            Self::Begins | Self::Plain => Some(Self::Plain),
        }
    }
}
