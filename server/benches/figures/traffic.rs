//! Numbers as a busy SIP server's statistics move: the same at each run. They must not know what is measured with them.

/// Statistics of a real OpenSIPS, as it answered.
const CAPTURE: &str = include_str!("../../tests/captures/opensips-4.0/get_all_named.resp");

/// The place of a counter that moves in every second.
pub(crate) const COUNTER: usize = 0;
/// The place of a level.
pub(crate) const LEVEL: usize = 1;

/// How one statistic moves.
#[derive(Clone, Copy)]
enum Course {
    /// It never changes, as sizes and what is not used do.
    Still,
    /// A counter of so many events a second.
    Counter(f64),
    /// A level that wanders by about so much a second, as dialogs and registered users do.
    Level(f64),
    /// Memory in use: multiples of eight that go up and down by some kilobytes.
    Memory,
}

/// The statistics of one box.
pub(crate) struct Traffic {
    courses: Vec<Course>,
    values: Vec<i64>,
    random: Random,
    second: f64,
}

impl Traffic {
    /// So many statistics: of each twenty, four stand still, three count what is rare, nine what is frequent (one event in two
    /// seconds up to three hundred a second), three are levels and one is memory.
    pub(crate) fn new(count: usize) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let course = |place: usize, random: &mut Random| match (place + 2) % 20 {
            _ if place == COUNTER => Course::Counter(180.0),
            0 | 5 | 10 | 15 => Course::Still,
            1 | 8 | 13 => Course::Counter(0.001 * 50_f64.powf(random.fraction())),
            3 | 9 | 17 => Course::Level(0.3 * 30_f64.powf(random.fraction())),
            19 => Course::Memory,
            _ => Course::Counter(0.5 * 600_f64.powf(random.fraction())),
        };
        let courses = (0..count).map(|place| course(place, &mut random)).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a start like any other")]
        let values = (0..count).map(|_| (random.fraction() * 4_000_000.0) as i64 * 8).collect();
        Self { courses, values, random, second: 0.0 }
    }

    /// The values a second later. There is more traffic by day than by night.
    #[expect(clippy::cast_possible_truncation, reason = "steps of a second")]
    pub(crate) fn next(&mut self) -> &[i64] {
        self.second += 1.0;
        let daytime = 1.0 - 0.6 * (self.second / 86_400.0 * std::f64::consts::TAU).cos();
        for (course, value) in self.courses.iter().zip(&mut self.values) {
            *value += match *course {
                Course::Still => 0,
                Course::Counter(per_second) => self.random.events(per_second * daytime),
                Course::Level(step) => (self.random.normal() * step).round() as i64,
                Course::Memory => (self.random.normal() * 400.0).round() as i64 * 8,
            };
        }
        &self.values
    }

    /// Whether a statistic counts, as the server says of it.
    pub(crate) fn counts(&self, place: usize) -> bool {
        matches!(self.courses[place], Course::Counter(_))
    }

    /// Milliseconds by which a poll is off its second.
    #[expect(clippy::cast_possible_truncation, reason = "some milliseconds")]
    pub(crate) fn jitter_ms(&mut self) -> i64 {
        (self.random.normal() * 3.0).round() as i64
    }
}

/// Full names for so many statistics: those of a real server, then counters of a script.
pub(crate) fn names(count: usize) -> Vec<String> {
    let body = CAPTURE.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let reply: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let real = reply["result"].as_object().into_iter().flat_map(serde_json::Map::keys).cloned();
    let of_script = (1..).map(|number| format!("script:calls_by_route_{number}"));
    real.chain(of_script).take(count).collect()
}

/// The statistic that tells for how many seconds a server has been running.
const UPTIME: &str = "core:timestamp";

/// What a box answers to `get_statistics`, as OpenSIPS 4.0 writes it.
pub(crate) fn reply(names: &[String], values: &[i64], uptime_s: u64, id: &str) -> String {
    let mut body = String::with_capacity(64 + names.len() * 40);
    body.push_str(r#"{"jsonrpc":"2.0","result":{"#);
    for (place, (name, value)) in names.iter().zip(values).enumerate() {
        if place > 0 {
            body.push(',');
        }
        body.push('"');
        body.push_str(name);
        body.push_str("\":");
        if name == UPTIME {
            body.push_str(&uptime_s.to_string());
        } else {
            body.push_str(&value.to_string());
        }
    }
    body.push_str("},\"id\":");
    body.push_str(id);
    body.push('}');
    body
}

/// What a box answers to `list_statistics`: which statistics count, and which show a level.
pub(crate) fn kinds(names: &[String], traffic: &Traffic, id: &str) -> String {
    let kind = |(place, name)| format!("{name:?}:\"{}\"", if traffic.counts(place) { "incremental" } else { "non-incremental" });
    let kinds: Vec<String> = names.iter().enumerate().map(kind).collect();
    format!(r#"{{"jsonrpc":"2.0","result":{{{}}},"id":{id}}}"#, kinds.join(","))
}

/// Random numbers that are the same at each run (xorshift).
struct Random(u64);

impl Random {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Of mean 0 and deviation 1: the sum of four evenly spread ones.
    fn normal(&mut self) -> f64 {
        let sum = self.fraction() + self.fraction() + self.fraction() + self.fraction();
        (sum - 2.0) * 3_f64.sqrt()
    }

    /// How many events happen that happen `mean` times on average (Poisson; many are near enough to normal).
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred events")]
    fn events(&mut self, mean: f64) -> i64 {
        if mean > 16.0 {
            return (mean + self.normal() * mean.sqrt()).round().max(0.0) as i64;
        }
        let limit = (-mean).exp();
        let (mut count, mut product) = (0, self.fraction());
        while product > limit {
            count += 1;
            product *= self.fraction();
        }
        count
    }
}
