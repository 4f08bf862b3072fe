// A program in JavaScript: what it reads it sends back, and what it made it finds again.
//     node round_trip.js ADDRESS TOKEN PATIENT TASK
const Client = require("fhir-kit-client");

async function main(baseUrl, token, patientId, taskId) {
  const client = new Client({ baseUrl, bearerToken: token });
  const statement = await client.capabilityStatement();
  const before = await client.read({ resourceType: "Patient", id: patientId });
  await client.update({ resourceType: "Patient", id: patientId, body: before });
  const patient = await client.read({ resourceType: "Patient", id: patientId });
  await client.update({ resourceType: "Patient", id: patientId, body: patient });
  const again = await client.read({ resourceType: "Patient", id: patientId });
  const task = await client.read({ resourceType: "Task", id: taskId });
  const { id, note, extension, ...made } = task;
  await client.create({ resourceType: "Task", body: { ...made, description: "Made again" } });
  let page = await client.search({ resourceType: "Task", searchParams: { _count: 1 } });
  const found = [];
  while (page) {
    found.push(...page.entry.map((entry) => entry.resource.description));
    const more = page.link.some((link) => link.relation === "next");
    page = more ? await client.nextPage({ bundle: page }) : null;
  }
  let refused = 0;
  try {
    await client.read({ resourceType: "Patient", id: "0".repeat(32) });
  } catch (error) {
    refused = error.response.status;
  }
  return {
    version: statement.fhirVersion,
    same: JSON.stringify(patient) === JSON.stringify(again),
    found: found.sort(),
    refused,
  };
}

main(...process.argv.slice(2))
  .then((result) => console.log(JSON.stringify(result)))
  .catch((error) => {
    console.error(error.response ? JSON.stringify(error.response) : error);
    process.exit(1);
  });
