//! How often the server is asked: a wire that counts.

use super::*;
use sqlx::{Connection, PgConnection};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

/// A way to the server, for one connection, and how often something was asked through it that waits for an answer.
fn wire(host: &str, port: u16) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let (mut server, counts) = (TcpStream::connect((host, port)).unwrap(), Arc::clone(&asked));
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut answers, &mut back));
        while let Ok(message) = next(&mut client, &mut server) {
            // Sync, which ends whatever was sent before it, or a query by itself.
            counts.fetch_add(usize::from(matches!(message, b'S' | b'Q')), SeqCst);
        }
    });
    (address, asked)
}

// Passes on one message of the client's and tells its letter; the first has none.
fn next(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<u8> {
    let mut head = [0; 5];
    client.read_exact(&mut head[..1])?;
    // The length of the first message begins with a zero, and no letter is one.
    let first = head[0] == 0;
    let start = usize::from(!first);
    client.read_exact(&mut head[1..4 + start])?;
    let length = u32::from_be_bytes(head[start..start + 4].try_into().unwrap());
    let mut message = head[..4 + start].to_vec();
    client.take(u64::from(length) - 4).read_to_end(&mut message)?;
    server.write_all(&message)?;
    Ok(head[0])
}

#[test]
fn what_was_prepared_before_is_one_round_trip() {
    let database = Database::new();
    block_on(async {
        drop(database.store().await);
        let options = database.options();
        let (address, asked) = wire(options.get_host(), options.get_port());
        let options = options.host("127.0.0.1").port(address.port());
        let mut bare = PgConnection::connect_with(&options).await.unwrap();
        let trips = || asked.swap(0, SeqCst);
        let (mut alone, mut together) = ([0; 2], 0);
        for number in 1..=3 {
            trips();
            let opening = Commit {
                request: Some(Request::new(&format!("anna-{number}"), "open").unwrap()),
                ..opens(order(number))
            };
            let first = stored(&mut bare, &opening).await;
            let opened = trips();
            let paid = Commit {
                entries: vec![entry("world:sandbox", "wallet:alice", 5)],
                calls: vec![charge(payin(number), at(0))],
                ..goes_on(order(number), first, 2)
            };
            stored(&mut bare, &paid).await;
            alone = [opened, trips()];
        }
        assert_eq!(alone, [1, 1]);

        for hundreds in 1..=3 {
            let many: Vec<_> = (0..100).map(|number| opens(order(1000 * hundreds + number))).collect();
            trips();
            let appended = bare.append_all(&many).await.unwrap();
            assert!(matches!(appended, AppendedAll::Stored(_)), "{appended:?}");
            together = trips();
        }
        assert_eq!(together, 1);
    });
}
