//! Reads a list of policies, each with what the node is like (`capture`, `desiredState`, `current`), and writes a list of what
//! nmstate would do there: the difference to what is there already, or the error that ends it.

use nmstate::{NetworkPolicy, NetworkState};
use serde_json::{json, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policies: Vec<Value> = serde_json::from_reader(std::io::stdin())?;
    let answers: Vec<Value> = policies.into_iter().map(answer).collect();
    println!("{}", serde_json::to_string(&answers)?);
    Ok(())
}

fn answer(policy: Value) -> Value {
    match decided(policy) {
        Ok(state) => json!({ "state": state }),
        Err(error) => json!({ "error": error }),
    }
}

fn decided(policy: Value) -> Result<NetworkState, String> {
    let captures = policy.get("capture").is_some_and(|c| !c.is_null());
    let policy: NetworkPolicy = serde_json::from_value(policy).map_err(|e| e.to_string())?;
    let current = policy.current.clone().unwrap_or_default();
    let state = NetworkState::try_from(policy).map_err(|e| e.to_string())?;
    // With captures it is the difference already.
    if captures {
        return Ok(state);
    }
    state.gen_diff(&current).map_err(|e| e.to_string())
}
