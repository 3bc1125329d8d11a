namespace OpenEuroLLM.Cli.Tests;

/// <summary>Mistakes that several commands can meet: recipes, output folders, models.</summary>
public sealed class BadInputTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_recipe_that_is_missing_malformed_or_no_file_is_named()
    {
        foreach (string[] command in (string[][])[["run"], ["train"], ["corpus", "build"]])
        {
            Oellm.Refuses([.. command, _folder.At("nowhere.jsonc")], _folder.At("nowhere.jsonc"), "not found");
            Oellm.Refuses([.. command, _folder.Root], _folder.Root, "is a folder; expected a recipe file");
            string malformed = _folder.Write("malformed.jsonc", "{\n  // a comment\n  \"name\": \"x\"\n  \"license\": \"y\"\n}");
            Oellm.Refuses([.. command, malformed], $"{malformed}:4", "not a valid recipe");
            Oellm.Refuses([.. command, _folder.Write("empty.jsonc", "")], _folder.At("empty.jsonc"));
            Oellm.Refuses([.. command, _folder.Write("list.jsonc", "[]")], _folder.At("list.jsonc"));
            Oellm.Refuses([.. command, _folder.Write("null.jsonc", "{ \"training\": null, \"model\": 3 }")], _folder.At("null.jsonc"), "model");
            Oellm.Refuses([.. command, _folder.Write("binary.jsonc", [0, 0xff, 0xfe, 7])], _folder.At("binary.jsonc"));
        }
    }

    [Fact]
    public void An_unknown_key_is_answered_with_the_key_that_was_meant()
    {
        string recipe = _folder.Write("recipe.jsonc", "{ \"trainin\": { } }");
        Oellm.Refuses(["run", recipe], recipe, "trainin is unknown; did you mean 'training'?");
        Oellm.Refuses(["quickstart", "training.tokns=5"], "training.tokns is unknown; did you mean 'tokens'?");
        Oellm.Refuses(["quickstart", "corpus.steps=[{\"step\":\"lenght\"}]"], "'lenght' is unknown; did you mean 'length'?");
        Oellm.Refuses(["quickstart", "training.tokens"], "override 'training.tokens' has no value");
    }

    [Fact]
    public void All_values_out_of_range_are_named_together() =>
        Oellm.Refuses(["run", _folder.Write("recipe.jsonc", "{ \"training\": { \"learningRate\": 3, \"tokens\": 0 }, \"model\": { \"layers\": 0 } }"), "tokenizer.vocabularySize=3"],
            "training.learningRate is 3; expected 1e-8 to 1.", "training.tokens is 0; expected 1 to", "model.layers is 0; expected 1 to 200.", "tokenizer.vocabularySize is 3; expected");

    [Theory]
    [InlineData("model.kind=\"gpt\"", "gpt")]
    [InlineData("corpus.languages=[\"xx\"]", "xx")]
    [InlineData("corpus.languages=[]", "languages")]
    [InlineData("training.tokens=\"many\"", "training.tokens")]
    [InlineData("training.schedule=\"linear\"", "training.schedule")]
    [InlineData("model.heads=7", "heads")]
    [InlineData("evaluation.tasks=[\"fact\"]", "fact")]
    public void Values_that_do_not_exist_or_do_not_fit_are_named_before_the_work_begins(string setting, string named)
    {
        Oellm.Refuses(["quickstart", .. SmallRun.Settings, setting, "--out", _folder.At("run")], named);
        Assert.False(Directory.Exists(_folder.At("run", "corpus")));
    }

    [Theory]
    [InlineData("quickstart")]
    [InlineData("run")]
    [InlineData("train")]
    public void An_output_folder_that_cannot_be_made_or_is_not_ours_is_named(string command)
    {
        string[] line = [command, .. command == "quickstart" ? [] : (string[])[run.In("recipe.jsonc")], .. SmallRun.Settings];
        string file = _folder.Write("mine/file.txt", "x");
        Oellm.Refuses([.. line, "--out", file], file, "is a file; expected a folder");
        Oellm.Refuses([.. line, "--out", Path.Combine(file, "run")], file, "is a file; expected a folder");
        Oellm.Refuses([.. line, "--out", _folder.At("mine")], _folder.At("mine"), "holds other files");
        Assert.Equal(["file.txt"], Directory.GetFileSystemEntries(_folder.At("mine")).Select(Path.GetFileName));
        if (OperatingSystem.IsLinux()) Oellm.Refuses([.. line, "--out", "/proc/run"], "/proc/run");
    }

    [Fact]
    public void An_output_folder_that_may_not_be_written_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux permissions");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may write everywhere");
        string locked = _folder.At("locked");
        if (!OperatingSystem.IsWindows()) Directory.CreateDirectory(locked, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Oellm.Refuses(["quickstart", .. SmallRun.Settings, "--out", Path.Combine(locked, "run")], locked, "permission denied");
    }

    [Theory]
    [InlineData("generate", "--prompt", "x")]
    [InlineData("chat")]
    [InlineData("serve", "--port", "0")]
    [InlineData("evaluate", "--bits-per-byte", "x")]
    public void What_is_no_model_is_said_in_one_line(params string[] command)
    {
        string Refused(string model, params ReadOnlySpan<string> words) => Oellm.Refuses([.. command, "--model", model], [model, .. words]);
        Refused(_folder.At("nowhere"), "there is no such folder; expected a model folder");
        Refused(_folder.Write("notes.txt", "x"), "is a file; expected a folder");
        Refused(_folder.Write("other.gguf", "GGUF"), "other.gguf: ");
        Directory.CreateDirectory(_folder.At("empty"));
        Refused(_folder.At("empty"), "is no model folder, config.json and tokenizer.json and model.safetensors missing");
    }

    [Fact]
    public void A_damaged_model_is_named_file_by_file()
    {
        string model = _folder.Copy(run.Model, "model");
        void Refused(string file, Func<byte[], byte[]> damage, params ReadOnlySpan<string> words)
        {
            string path = Path.Combine(model, file);
            byte[] whole = File.ReadAllBytes(path);
            File.WriteAllBytes(path, damage(whole));
            Oellm.Refuses(["generate", "--model", model, "--prompt", "x"], [model, .. words]);
            File.WriteAllBytes(path, whole);
        }

        Refused("model.safetensors", whole => whole[..(whole.Length / 2)], "model.safetensors", "truncated");
        Refused("model.safetensors", whole => whole[..^1], "model.safetensors");
        Refused("model.safetensors", whole => whole[..5], "model.safetensors");
        Refused("model.safetensors", _ => [], "model.safetensors");
        Refused("model.safetensors", whole => [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, .. whole[8..]], "model.safetensors");
        Refused("config.json", whole => whole[..(whole.Length / 2)], "config.json");
        Refused("config.json", _ => "{}"u8.ToArray(), "config.json");
        Refused("config.json", whole => System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(whole).Replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", StringComparison.Ordinal)), "model.layers.1");
        Refused("tokenizer.json", whole => whole[..(whole.Length / 2)], "tokenizer.json");
        Oellm.Succeeds("generate", "--model", model, "--prompt", "x", "--max-tokens", "1");
    }

    [Fact]
    public void A_tokenizer_of_another_vocabulary_is_refused()
    {
        string model = _folder.Copy(run.Model, "model");
        Oellm.Succeeds("tokenizer", "train", "--input", run.In("corpus", "train"), "--vocabulary-size", "600", "--out", _folder.At("tokenizer"));
        File.Copy(_folder.At("tokenizer", "tokenizer.json"), Path.Combine(model, "tokenizer.json"), overwrite: true);
        Oellm.Refuses(["generate", "--model", model, "--prompt", "x"], model, "eos_token_id", "from 0 to 599", "do not belong together");
    }
}
