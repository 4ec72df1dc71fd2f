//! What the processes of a server are, as it said when it was asked last.

/// Processes by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processes {
    /// What each is, such as `SIP receiver udp:127.0.0.1:5060`.
    pub types: Vec<(u32, String)>,
    /// Why that is not known, where the box was asked.
    pub unknown: Option<String>,
}

impl Processes {
    /// What a process is.
    #[must_use]
    pub fn of(&self, process: u32) -> Option<&str> {
        self.types.iter().find(|(number, _)| *number == process).map(|(_, what)| what.as_str())
    }
}
