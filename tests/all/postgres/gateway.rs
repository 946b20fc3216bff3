//! A gateway that outlives whoever calls it: what it did is counted where no death reaches.

use crate::market::Scripted;
use escrowed::{
    gateway::{Gateway, IdempotencyKey, Instruction, Outcome},
    ledger::GatewayName,
    sandbox::{Sandbox, SandboxError},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    borrow::Borrow,
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A sandbox that notes which calls came again after they had had effect. A gateway that forgets its idempotency keys
/// would have moved that money twice.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    sandbox: Sandbox,
    again: Arc<Mutex<BTreeSet<IdempotencyKey>>>,
}

impl Watched {
    pub(crate) fn new(seed: u64) -> Self {
        Self { sandbox: Sandbox::new(seed), again: Arc::default() }
    }

    /// The calls that came again after they had had effect.
    pub(crate) fn again(&self) -> BTreeSet<IdempotencyKey> {
        self.again.lock().unwrap().clone()
    }

    /// Serves other processes until this one ends.
    pub(crate) fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = self.clone();
        thread::spawn(move || {
            for caller in listener.incoming() {
                let gateway = gateway.clone();
                // Whoever dies in the middle of a call is no longer served.
                thread::spawn(move || gateway.serve(caller.unwrap()).ok());
            }
        });
        address
    }

    fn serve(&self, caller: TcpStream) -> io::Result<()> {
        let mut out = caller.try_clone()?;
        for line in BufReader::new(caller).lines() {
            let answer = futures_lite::future::block_on(async {
                match serde_json::from_str(&line?)? {
                    Asked::Execute(instruction) => {
                        serde_json::to_string(&self.execute(&instruction.key(), &instruction).await.ok())
                    }
                    Asked::LookUp(key) => serde_json::to_string(&self.lookup(&key).await.expect("a sandbox knows")),
                    Asked::Decline(key) => serde_json::to_string(&self.decline(&key)),
                }
                .map_err(io::Error::from)
            })?;
            out.write_all(format!("{answer}\n").as_bytes())?;
        }
        Ok(())
    }
}

impl Gateway for Watched {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    async fn execute(&self, key: &IdempotencyKey, call: &Instruction) -> Result<Outcome, SandboxError> {
        if self.sandbox.effects(key) > 0 {
            self.again.lock().unwrap().insert(*key);
        }
        self.sandbox.execute(key, call).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        self.sandbox.lookup(key).await
    }
}

impl Scripted for Watched {
    fn decline(&self, call: &IdempotencyKey) {
        self.sandbox.decline(call);
    }
}

impl Borrow<Sandbox> for Watched {
    fn borrow(&self) -> &Sandbox {
        &self.sandbox
    }
}

#[derive(Serialize, Deserialize)]
enum Asked {
    Execute(Instruction),
    LookUp(IdempotencyKey),
    Decline(IdempotencyKey),
}

/// The same gateway as another process reaches it.
#[derive(Debug)]
pub(crate) struct Remote {
    name: GatewayName,
    line: Mutex<BufReader<TcpStream>>,
}

impl Remote {
    pub(crate) fn connect(address: &str) -> Self {
        let line = Mutex::new(BufReader::new(TcpStream::connect(address).unwrap()));
        Self { name: "sandbox".parse().unwrap(), line }
    }

    fn ask<T: DeserializeOwned>(&self, asked: &Asked) -> io::Result<T> {
        let mut line = self.line.lock().unwrap();
        line.get_mut().write_all(format!("{}\n", serde_json::to_string(asked)?).as_bytes())?;
        let mut answer = String::new();
        line.read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Gateway for Remote {
    type Error = io::Error;

    fn name(&self) -> &GatewayName {
        &self.name
    }

    async fn execute(&self, _: &IdempotencyKey, call: &Instruction) -> Result<Outcome, io::Error> {
        let outcome: Option<Outcome> = self.ask(&Asked::Execute(call.clone()))?;
        outcome.ok_or_else(|| io::ErrorKind::TimedOut.into())
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, io::Error> {
        self.ask(&Asked::LookUp(*key))
    }
}

impl Scripted for Remote {
    fn decline(&self, call: &IdempotencyKey) {
        self.ask(&Asked::Decline(*call)).expect("the gateway outlives us")
    }
}
