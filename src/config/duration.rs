//! Lengths of time as people write them: `30s`, `10m`, `26h`, `7days`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

const DAY: u64 = 24 * 60 * 60;

/// A length of time, written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl HumanDuration {
    /// A number of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Days stay days: what humantime makes of 35 of them is a month of 30.44 days and a rest.
        let (days, rest) = (self.0.as_secs() / DAY, Duration::new(self.0.as_secs() % DAY, self.0.subsec_nanos()));
        match (days, rest) {
            (0, _) => fmt::Display::fmt(&humantime::format_duration(self.0), f),
            (1, Duration::ZERO) => f.write_str("1day"),
            (_, Duration::ZERO) => write!(f, "{days}days"),
            (1, _) => write!(f, "1day {}", humantime::format_duration(rest)),
            (..) => write!(f, "{days}days {}", humantime::format_duration(rest)),
        }
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = HumanDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as text, like \"30s\", \"10m\" or \"26h\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<HumanDuration, E> {
                let parsed = humantime::parse_duration(text).map(HumanDuration);
                parsed.map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for HumanDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "human-duration",
            "pattern": r"^\s*([0-9]+\s*[A-Za-z]+\s*)+$|^0$",
        })
    }
}
