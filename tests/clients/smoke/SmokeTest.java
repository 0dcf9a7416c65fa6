import java.io.File;
import java.nio.file.Files;
import java.util.Map;
import java.util.UUID;
import sotto.ApiClient;
import sotto.ApiException;
import sotto.api.JobsApi;
import sotto.api.KeysApi;
import sotto.api.ModelsApi;
import sotto.api.PredictionsApi;

/**
 * The way of a prediction through a client that openapi-generator made for Java. SOTTO_URL, SOTTO_TOKEN, and SOTTO_FILES (a folder) say
 * where.
 */
public class SmokeTest {
  static final Map<String, String> SETTINGS = System.getenv();

  static File file(String name) {
    return new File(SETTINGS.get("SOTTO_FILES"), name);
  }

  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  public static void main(String[] args) throws Exception {
    var sotto = new ApiClient();
    sotto.setBasePath(SETTINGS.get("SOTTO_URL"));
    sotto.addDefaultHeader("authorization", "Bearer " + SETTINGS.get("SOTTO_TOKEN"));
    var jobs = new JobsApi(sotto);

    var keys = new KeysApi(sotto).registerKeys(file("evaluation.key"), null);
    check(keys.getCapability().getValue().equals("pack"), "capability");
    var models = new ModelsApi(sotto);
    var model = models.importModel("tumours", "xgboost", file("model.json"), null, null, null, null, null, null);

    var predictions = new PredictionsApi(sotto);
    var answers = predictions.predict(model.getId(), file("rows.sotto"), keys.getId(), null, null, null);
    check(answers.length() > 0, "answers");

    // The method's type is that of the status 200; the job of a 202 is named by its header.
    var accepted = predictions.predictWithHttpInfo(
        model.getId(), file("rows.sotto"), keys.getId(), null, "respond-async", null);
    check(accepted.getStatusCode() == 202, "status " + accepted.getStatusCode());
    var location = accepted.getHeaders().get("location").get(0);
    var id = UUID.fromString(location.substring(location.lastIndexOf('/') + 1));
    while (!jobs.showJob(id).getState().getValue().equals("succeeded")) Thread.sleep(100);
    check(Files.mismatch(jobs.fetchJobAnswers(id).toPath(), jobs.fetchJobAnswers(id).toPath()) < 0, "same answers");
    jobs.deleteJob(id);
    try {
      jobs.showJob(id);
      check(false, "the job is still there");
    } catch (ApiException error) {
      check(error.getCode() == 404 && error.getResponseBody().contains("job_unknown"), error.getMessage());
    }
    models.deleteModel(model.getId());
    new KeysApi(sotto).deleteKeys(keys.getId());
    System.out.println("answers: " + answers.length() + " bytes");
  }
}
