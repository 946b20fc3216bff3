//! A network that fails where it hurts: a proxy that understands enough of PostgreSQL's wire protocol to cut a connection
//! around the message that commits.
//!
//! The protocol: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use super::database::RUNTIME;
use crate::market::Dice;
use futures_lite::future::race;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    /// What commits never leaves: it is not done.
    Before,
    /// Half of what commits arrives: it is not done.
    Half,
    /// It arrives late, and nobody waits for what comes of it: the client may be trying again already.
    Sent,
    /// It was done; the answer is lost.
    Answered,
    /// It was done; half of the answer arrives.
    HalfAnswer,
    /// At another message.
    Elsewhere,
}

impl Cut {
    pub(crate) const ALL: [Self; 6] =
        [Self::Before, Self::Half, Self::Sent, Self::Answered, Self::HalfAnswer, Self::Elsewhere];
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Client,
    Server,
}

/// Lets two of three commits be cut, and now and then something else.
#[derive(Clone)]
pub(crate) struct Proxy {
    server: (String, u16),
    dice: Arc<Mutex<Dice>>,
    tally: Arc<Mutex<BTreeMap<Cut, usize>>>,
}

impl Proxy {
    /// In front of this server, until the process ends.
    pub(crate) fn before(host: &str, port: u16, seed: u64) -> (Self, SocketAddr) {
        let proxy =
            Self { server: (host.to_owned(), port), dice: Arc::new(Mutex::new(Dice(seed))), tally: Arc::default() };
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let serving = proxy.clone();
        RUNTIME.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let proxy = serving.clone();
                tokio::spawn(async move { proxy.carry(client).await });
            }
        });
        (proxy, address)
    }

    /// How often it has cut where.
    pub(crate) fn tally(&self) -> BTreeMap<Cut, usize> {
        self.tally.lock().unwrap().clone()
    }

    async fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect((self.server.0.as_str(), self.server.1)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut said, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut messages = Messages::default();
        // What befalls the answer to the commit that is under way.
        let mut fate = None;
        loop {
            let from_client = async { Ok::<_, io::Error>((Side::Client, client.read(&mut said).await?)) };
            let from_server = async { Ok((Side::Server, server.read(&mut answer).await?)) };
            match (race(from_client, from_server).await?, fate) {
                ((_, 0), _) | ((Side::Server, _), Some(Cut::Answered)) => return Ok(()),
                ((Side::Server, count), Some(_)) => return client.write_all(&answer[..count / 2]).await,
                ((Side::Server, count), None) => client.write_all(&answer[..count]).await?,
                ((Side::Client, count), _) => messages.hear(&said[..count]),
            }
            while let Some((message, commits)) = messages.next() {
                match self.draw(commits) {
                    None => server.write_all(&message).await?,
                    Some(Cut::Before | Cut::Elsewhere) => return Ok(()),
                    Some(Cut::Half) => return server.write_all(&message[..message.len() / 2]).await,
                    Some(Cut::Sent) => {
                        drop(client);
                        let late = self.dice.lock().unwrap().below(30);
                        sleep(Duration::from_millis(late)).await;
                        server.write_all(&message).await?;
                        // The server hears all of it, and then that there is no more.
                        server.shutdown().await?;
                        return copy(&mut server, &mut sink()).await.map(drop);
                    }
                    Some(cut @ (Cut::Answered | Cut::HalfAnswer)) => {
                        server.write_all(&message).await?;
                        fate = Some(cut);
                    }
                }
            }
        }
    }

    fn draw(&self, commits: bool) -> Option<Cut> {
        let mut dice = self.dice.lock().unwrap();
        let cut = match (commits, dice.below(if commits { 15 } else { 100 })) {
            (true, 0 | 1) => Cut::Before,
            (true, 2 | 3) => Cut::Half,
            (true, 4 | 5) => Cut::Sent,
            (true, 6 | 7) => Cut::Answered,
            (true, 8 | 9) => Cut::HalfAnswer,
            (false, 0) => Cut::Elsewhere,
            (true | false, _) => return None,
        };
        *self.tally.lock().unwrap().entry(cut).or_default() += 1;
        Some(cut)
    }
}

/// What a client says, message by message.
#[derive(Default)]
struct Messages {
    heard: Vec<u8>,
    /// Whether the first message is over, which alone has no letter.
    begun: bool,
    /// Whether a transaction is open.
    open: bool,
    /// The prepared statements that write a request down.
    writers: BTreeSet<Vec<u8>>,
    /// Whether such a statement waits for its Sync.
    writes: bool,
}

impl Messages {
    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// The next whole message, and whether it commits.
    fn next(&mut self) -> Option<(Vec<u8>, bool)> {
        let letter = usize::from(self.begun);
        let length = self.heard.get(letter..letter + 4)?;
        let end = letter + usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
        if self.heard.len() < end {
            return None;
        }
        let message: Vec<u8> = self.heard.drain(..end).collect();
        let commits = self.begun && self.commits(message[0], &message[5..]);
        self.begun = true;
        Some((message, commits))
    }

    fn commits(&mut self, letter: u8, body: &[u8]) -> bool {
        let mut texts = body.split(|byte| *byte == 0);
        let mut text = || texts.next().unwrap_or_default();
        match letter {
            // Query
            b'Q' => {
                let query = text();
                let commits = query.starts_with(b"COMMIT");
                self.open = query.starts_with(b"BEGIN") || self.open && !commits && !query.starts_with(b"ROLLBACK");
                commits
            }
            // Parse: the statement's name, its text
            b'P' => {
                let (name, query) = (text(), text());
                if String::from_utf8_lossy(query).contains("INSERT INTO escrowed_requests") {
                    self.writers.insert(name.to_vec());
                } else {
                    self.writers.remove(name);
                }
                false
            }
            // Bind: the portal's name, the statement's name
            b'B' => {
                let (_, name) = (text(), text());
                self.writes = self.writers.contains(name);
                false
            }
            // Sync, which commits what is in no transaction.
            b'S' => std::mem::take(&mut self.writes) && !self.open,
            // Describe, Execute, Close, Terminate and the rest.
            _ => false,
        }
    }
}
