//! Whatever the bytes: the reader answers, an error can be drawn, and what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy::scenario::Scenario;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Scenario::parse("fuzz.json", text) {
        Err(error) => {
            let drawn = error.render(false, 100);
            assert!(drawn.contains("fuzz.json:"), "an error without a place: {drawn}");
        }
        Ok(scenario) => {
            let written = serde_json::to_string(&scenario).expect("a scenario can be written");
            let read = Scenario::parse("again.json", &written);
            let read = read.unwrap_or_else(|error| panic!("{}\n{written}", error.render(false, 100)));
            assert_eq!(read, scenario);
        }
    }
});
