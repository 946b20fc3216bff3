//! The words with which a step is refused fit the sentence around them.

use std::{fs, path::Path};

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(fs::read_to_string(path).expect("a source"));
        }
    }
}

#[test]
fn what_is_refused_is_named_and_its_sentence_goes_on() {
    let (mut all, mut looked_at) = (Vec::new(), 0);
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    for text in &all {
        for (field, names_something) in [("what: \"", true), ("who: \"", true), ("instead: \"", false)] {
            for words in text.split(field).skip(1).filter_map(|rest| rest.split('"').next()) {
                // The text of a reason goes on after the name of something, so the name is no sentence of its own.
                assert!(!names_something || !words.contains([';', ':']), "{words}");
                assert!(!words.ends_with([',', ';', ':', '.']), "{words}");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 100, "only {looked_at}");
}
