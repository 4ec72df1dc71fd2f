//! Single statistics of the engine, as scripts ask for them: by full or bare name, by group. It must not know what a script is.

use super::{DEFAULT_GROUP, Engine, PushError, Statistic, custom::pushable};

impl Engine {
    /// The statistic of a full name; or of a bare one: of the group `dynamic`, else the first that has it in its group.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Statistic> {
        if name.contains(':') {
            return self.registry.find(name);
        }
        self.registry.find(&format!("{DEFAULT_GROUP}:{name}")).or_else(|| self.registry.find_bare(name))
    }

    /// The statistics of a group that are seen, as they were made.
    #[must_use]
    pub fn group(&self, name: &str) -> Vec<Statistic> {
        self.registry.group(name).into_iter().filter(|statistic| !statistic.traits().hidden).collect()
    }

    /// The full name by which something may be pushed: what is there already is not the panel's own.
    ///
    /// # Errors
    /// When nothing can be pushed by it.
    pub fn pushed_name(&self, name: &str) -> Result<String, PushError> {
        self.customs.here()?;
        let full = pushable(name)?;
        if self.registry.find(&full).is_some() && !self.customs.has(&full) {
            return Err(PushError::Own(full));
        }
        Ok(full)
    }
}
