//! Runs what a script says within bounds: operations, time, memory, depth, sizes, output. No file, no process, no module can be reached.
//! It must not know the words that scripts are given.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, OptimizationLevel, ParseError, Position, Scope};

/// No script is longer, in bytes.
pub const MAX_SOURCE: usize = 64 << 10;
/// A run may take so long, whatever it waits for.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// A run may do so many things.
const MAX_OPERATIONS: u64 = 3_000_000;
/// A run may take so much memory, in bytes.
const MAX_MEMORY: u64 = 64 << 20;
/// Functions may call each other so deep.
const MAX_CALLS: usize = 32;
/// Expressions may be so deep, and so deep within a function.
const MAX_DEPTH: (usize, usize) = (64, 48);
/// So many variables at once, and so many functions.
const MAX_NAMES: usize = 256;
/// No text is longer, nor all texts of a list together.
const MAX_TEXT: usize = 512 << 10;
/// No list is longer, with those within it.
const MAX_LIST: usize = 50_000;
/// No map has more, with those within it.
const MAX_MAP: usize = 20_000;
/// Room for the calls of a script: it has a thread of its own.
const STACK: usize = 32 << 20;

/// What is wrong with a script, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1; none: it is not known.
    pub line: Option<usize>,
    /// From 1.
    pub column: Option<usize>,
    /// A sentence.
    pub message: String,
}

impl Fault {
    pub(super) fn at(position: Position, message: impl Into<String>) -> Self {
        Self { line: position.line(), column: position.position(), message: message.into() }
    }

    fn nowhere(message: impl Into<String>) -> Self {
        Self::at(Position::NONE, message)
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        Self::at(error.position(), error.err_type().to_string())
    }
}

impl From<Box<EvalAltResult>> for Fault {
    fn from(mut error: Box<EvalAltResult>) -> Self {
        let outer = error.position();
        // Where it happened tells more than who called.
        let inner = error.unwrap_inner().position();
        let position = if inner.is_none() { outer } else { inner };
        while let EvalAltResult::ErrorInFunctionCall(_, _, within, _) = *error {
            error = within;
        }
        let message = match &mut *error {
            EvalAltResult::ErrorRuntime(value, _) => value.to_string(),
            EvalAltResult::ErrorTerminated(why, _) => why.to_string(),
            EvalAltResult::ErrorTooManyOperations(_) => format!("it was stopped after {MAX_OPERATIONS} operations: does a loop end?"),
            EvalAltResult::ErrorStackOverflow(_) => format!("functions call each other more than {MAX_CALLS} deep"),
            EvalAltResult::ErrorTooManyVariables(_) => format!("there are more than {MAX_NAMES} variables at once"),
            EvalAltResult::ErrorDataTooLarge(what, _) => {
                format!("{what} is too large: a text has at most {MAX_TEXT} bytes, a list {MAX_LIST} and a map {MAX_MAP} members")
            }
            EvalAltResult::ErrorFunctionNotFound(signature, _) => match signature.split_once(" (") {
                Some((operator, types)) if !operator.starts_with(char::is_alphabetic) => {
                    format!("{operator} cannot be applied to {}", types.strip_suffix(')').unwrap_or(types))
                }
                _ => format!("there is no function {signature}"),
            },
            other => {
                other.clear_position();
                other.to_string()
            }
        };
        Self::at(position, message)
    }
}

/// Stops a run from outside.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// The run ends at its next operation.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What knows the language and no more: whoever runs a script adds words.
pub(super) fn language() -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(MAX_CALLS)
        .set_max_expr_depths(MAX_DEPTH.0, MAX_DEPTH.1)
        .set_max_variables(MAX_NAMES)
        .set_max_functions(MAX_NAMES)
        .set_max_string_size(MAX_TEXT)
        .set_max_array_size(MAX_LIST)
        .set_max_map_size(MAX_MAP)
        .set_max_strings_interned(1_024)
        .set_optimization_level(OptimizationLevel::None)
        .set_fail_on_invalid_map_property(true)
        // Ours hold for floats, too.
        .set_fast_operators(false);
    // What is put together at run time has no line.
    for gone in ["eval", "import", "export"] {
        engine.disable_symbol(gone);
    }
    no_sleep(&mut engine);
    no_division_by_zero(&mut engine);
    bounded_replace(&mut engine);
    engine
}

/// It would sleep past any limit.
fn no_sleep(engine: &mut Engine) {
    const WHY: &str = "a script does not sleep: let its schedule run it again";
    engine.register_fn("sleep", |_: i64| -> Result<(), Box<EvalAltResult>> { Err(WHY.into()) });
    engine.register_fn("sleep", |_: f64| -> Result<(), Box<EvalAltResult>> { Err(WHY.into()) });
}

/// Floats would go on with infinity.
fn no_division_by_zero(engine: &mut Engine) {
    type Divided = Result<f64, Box<EvalAltResult>>;
    #[expect(clippy::cast_precision_loss, reason = "as the language does")]
    fn float(whole: i64) -> f64 {
        whole as f64
    }
    fn divide(by: f64, divided: f64) -> Divided {
        if by == 0.0 { Err("division by zero".into()) } else { Ok(divided) }
    }
    engine.register_fn("/", |one: f64, by: f64| divide(by, one / by));
    engine.register_fn("/", |one: f64, by: i64| divide(float(by), one / float(by)));
    engine.register_fn("/", |one: i64, by: f64| divide(by, float(one) / by));
    engine.register_fn("%", |one: f64, by: f64| divide(by, one % by));
    engine.register_fn("%", |one: f64, by: i64| divide(float(by), one % float(by)));
    engine.register_fn("%", |one: i64, by: f64| divide(by, float(one) % by));
}

/// The language's own makes the text before it looks how long it is.
fn bounded_replace(engine: &mut Engine) {
    engine.register_fn("replace", |text: &mut ImmutableString, find: &str, by: &str| -> Result<(), Box<EvalAltResult>> {
        let times = if find.is_empty() { text.chars().count() + 1 } else { text.matches(find).count() };
        let length = text.len() + times.saturating_mul(by.len());
        if length > MAX_TEXT + text.len() {
            return Err(EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), Position::NONE).into());
        }
        *text = text.replace(find, by).into();
        Ok(())
    });
}

/// Reads a script without running it.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn check(source: &str) -> Result<(), Fault> {
    compile(&language(), source).map(|_| ())
}

pub(super) fn compile(engine: &Engine, source: &str) -> Result<AST, Fault> {
    if source.len() > MAX_SOURCE {
        return Err(Fault::nowhere(format!("the script has {} bytes; at most {MAX_SOURCE} are allowed", source.len())));
    }
    Ok(engine.compile(source)?)
}

/// Runs a script on a thread of its own, and waits for its end. `words` are given to the engine there.
pub(super) async fn run(
    source: String,
    constants: Vec<(&'static str, Dynamic)>,
    deadline: Instant,
    stop: Stop,
    words: impl FnOnce(&mut Engine) + Send + 'static,
) -> Result<(), Fault> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let work = move || {
        let mut engine = language();
        words(&mut engine);
        bound(&mut engine, deadline, stop);
        // Nobody may wait any more.
        let _ = tell.send(evaluate(&engine, &source, constants));
    };
    if let Err(error) = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK).spawn(work) {
        return Err(Fault::nowhere(format!("the system gave it no thread: {error}")));
    }
    told.await.unwrap_or_else(|_| Err(Fault::nowhere("it failed within the panel: this is a fault of the panel, whose log says more")))
}

fn evaluate(engine: &Engine, source: &str, constants: Vec<(&'static str, Dynamic)>) -> Result<(), Fault> {
    let script = compile(engine, source)?;
    let mut scope = Scope::new();
    for (name, value) in constants {
        scope.push_constant_dynamic(name, value);
    }
    Ok(engine.run_ast_with_scope(&mut scope, &script)?)
}

/// Ends the run when its time is over, its memory is used up, or somebody stops it.
fn bound(engine: &mut Engine, deadline: Instant, stop: Stop) {
    engine.on_progress(move |operations| {
        if MEMORY.with(Memory::used) > MAX_MEMORY {
            return Some(format!("it was stopped: it took more than {} MiB of memory", MAX_MEMORY >> 20).into());
        }
        if stop.is_stopped() {
            return Some("it was stopped: the panel ends".into());
        }
        // Reading the clock takes longer than most operations.
        let is_late = operations % 64 == 0 && Instant::now() >= deadline;
        is_late.then(|| format!("it was stopped after {} s", TIME_LIMIT.as_secs()).into())
    });
}

/// The memory of a thread, as the program's allocator counts it; where there is another allocator, nothing is known.
struct Memory(Option<(tikv_jemalloc_ctl::thread::ThreadLocal<u64>, tikv_jemalloc_ctl::thread::ThreadLocal<u64>)>);

thread_local! {
    static MEMORY: Memory = Memory::of_this_thread();
}

impl Memory {
    fn of_this_thread() -> Self {
        let (taken, given) = (tikv_jemalloc_ctl::thread::allocatedp::read(), tikv_jemalloc_ctl::thread::deallocatedp::read());
        Self(taken.ok().zip(given.ok()))
    }

    fn used(&self) -> u64 {
        self.0.as_ref().map_or(0, |(taken, given)| taken.get().saturating_sub(given.get()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The time is bounded as never in use: on a busy machine it would end what another bound is to end.
    async fn outcome(source: &str) -> Result<(), Fault> {
        run(source.to_owned(), Vec::new(), Instant::now() + 20 * TIME_LIMIT, Stop::default(), |_| {}).await
    }

    #[track_caller]
    fn check(fault: &Fault, line: usize, column: usize, part: &str) {
        assert!(fault.message.contains(part), "{fault:?}");
        assert_eq!((fault.line, fault.column), (Some(line), Some(column)), "{fault:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        check(&super::check("let a = 1;\nlet b = ;").unwrap_err(), 2, 9, "Unexpected ';'");
        check(&super::check("let a = \"x").unwrap_err(), 1, 9, "not terminated");
        check(&super::check("{").unwrap_err(), 1, 2, "Expecting '}'");
        assert!(super::check("import \"x\" as y;").is_err());
        assert!(super::check(&"1;".repeat(MAX_SOURCE)).unwrap_err().message.contains("at most 65536"));
        for deep in ["(".repeat(10_000), "[".repeat(10_000), "-".repeat(10_000), "if true {".repeat(5_000), "!".repeat(10_000)] {
            assert!(super::check(&deep).is_err());
        }
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_told_with_its_place() {
        for (source, line, column, part) in [
            ("let a = 1;\nlet b = a / 0;", 2, 11, "Division by zero"),
            ("1.5 / 0", 1, 5, "division by zero"),
            ("let x = 0.0;\n 1 % x", 2, 4, "division by zero"),
            ("fn f() {\n  nope(1);\n}\nf();", 2, 3, "there is no function nope"),
            ("1 + ()", 1, 3, "+ cannot be applied to i64, ()"),
            ("let m = #{};\nm.x", 2, 3, "not found"),
            ("throw \"enough\";", 1, 1, "enough"),
            // Whatever bounds the whole run is told where the run was called.
            ("fn f(n) { f(n + 1) }\nf(0)", 2, 1, "more than 32 deep"),
            ("\n sleep(1e9)", 2, 2, "does not sleep"),
            ("sleep(1)", 1, 1, "does not sleep"),
        ] {
            check(&outcome(source).await.unwrap_err(), line, column, part);
        }
        assert_eq!(outcome("fn down(n) { if n > 0 { down(n - 1) } }\ndown(20); exit(); 1 / 0").await, Ok(()));
    }

    #[tokio::test]
    async fn loops_end() {
        check(&outcome("loop {}").await.unwrap_err(), 1, 6, "does a loop end");
        check(&outcome("let i = 0;\nwhile true { i += 1; }").await.unwrap_err(), 2, 19, "does a loop end");
        let late = run("loop {}".to_owned(), Vec::new(), Instant::now(), Stop::default(), |_| {}).await.unwrap_err();
        assert!(late.message.contains("stopped after 30 s"), "{late:?}");
        let stop = Stop::default();
        stop.stop();
        let stopped = run("loop {}".to_owned(), Vec::new(), Instant::now() + TIME_LIMIT, stop, |_| {}).await.unwrap_err();
        assert!(stopped.message.contains("the panel ends"), "{stopped:?}");
    }

    #[tokio::test]
    async fn memory_has_a_bound() {
        for (source, part) in [
            ("let a = \"xxxxxxxx\"; loop { a += a; }", "too large"),
            ("let a = [1]; loop { a += a; }", "too large"),
            ("let a = []; loop { a = [a, a]; }", "too large"),
            ("let m = #{ a: 1 }; loop { m = #{ a: m, b: m }; }", "too large"),
            ("let a = \"a\"; a.pad(1000000000, \"x\");", "too large"),
            ("let a = []; a.pad(1000000000, 1);", "too large"),
            ("let b = blob(1000000000);", "too large"),
            ("let a = \"\"; a.pad(400000, \"a\"); let b = a; a.replace(\"a\", b);", "too large"),
            // Each is within its bounds, and all are not.
            (
                "fn f(a) { let b = a + \"y\"; let c = a + \"z\"; let d = a + \"w\"; let e = a + \"v\"; let g = a + \"u\"; f(a); }\nlet a = \"\"; a.pad(500000, \"x\");\nf(a)",
                "more than 64 MiB",
            ),
        ] {
            let fault = outcome(source).await.unwrap_err();
            assert!(fault.message.contains(part), "{source}: {fault:?}");
        }
    }

    #[tokio::test]
    async fn a_fault_within_a_word_ends_the_run_alone() {
        let told = Arc::new(Mutex::new(0));
        let words = |engine: &mut Engine| {
            engine.register_fn("break_it", || -> i64 { panic!("a word is broken") });
        };
        let fault = run("break_it()".to_owned(), Vec::new(), Instant::now() + TIME_LIMIT, Stop::default(), words).await.unwrap_err();
        assert!(fault.message.contains("fault of the panel"), "{fault:?}");
        *told.lock().unwrap() += 1;
    }
}
