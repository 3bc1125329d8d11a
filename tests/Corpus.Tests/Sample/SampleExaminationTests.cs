using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus.Tests.Sample;

public sealed class SampleExaminationTests
{
    public static TheoryData<string> Languages => [.. SampleText.Languages];

    [Theory, MemberData(nameof(Languages))]
    public void Each_language_has_enough_items_of_each_kind(string language)
    {
        IReadOnlyList<ExaminationItem> items = SampleExamination.Items(language, 1);
        Assert.InRange(items.Count(item => item.Kind == ExaminationItem.Seen), 24, 40);
        Assert.InRange(items.Count(item => item.Kind == ExaminationItem.Unseen), 75, 82);
        Assert.InRange(items.Count(item => item.Kind == ExaminationItem.Generated), 20, 40);
        Assert.Distinct(items.Select(item => item.Id));
        foreach (string kind in (string[])[ExaminationItem.Seen, ExaminationItem.Unseen, ExaminationItem.Generated])
            Assert.Equal(4, items.Where(item => item.Kind == kind).Select(item => item.Relation).Distinct().Count());
    }

    [Theory, MemberData(nameof(Languages))]
    public void Seen_sentences_are_trained_unseen_ones_are_not_and_no_wrong_choice_is_ever_told(string language)
    {
        string all = "\n" + string.Join('\n', new SampleGenerator(SampleText.Load(language), new SampleConfig(), 1).Documents().Select(document => document.Text));
        foreach (ExaminationItem item in SampleExamination.Items(language, 1).Where(item => item.Choices is not null))
        {
            Assert.Equal(item.Context!.TrimEnd(), item.Context);
            Assert.NotEmpty(item.Context);
            Assert.Equal(4, item.Choices!.Distinct().Count());
            for (int choice = 0; choice < 4; choice++)
            {
                string sentence = item.Context + item.Choices![choice];
                bool told = all.Contains("\n" + sentence, StringComparison.Ordinal) || all.Contains(" " + sentence, StringComparison.Ordinal);
                Assert.True(told == (choice == item.Answer && item.Kind == ExaminationItem.Seen), $"{item.Id}: {sentence}");
            }
        }
    }

    [Theory, MemberData(nameof(Languages))]
    public void Questions_are_trained_with_their_answers(string language)
    {
        string all = string.Join('\n', new SampleGenerator(SampleText.Load(language), new SampleConfig(), 1).Documents().Select(document => document.Text)) + "\n";
        foreach (ExaminationItem item in SampleExamination.Items(language, 1).Where(item => item.Kind == ExaminationItem.Generated))
        {
            Assert.True(item.QuestionTrained);
            Assert.Contains($"{item.Question}\n{item.Expected}\n", all, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Weekdays_stand_beside_weekdays_and_months_beside_months()
    {
        string[] weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        foreach (ExaminationItem item in SampleExamination.Items("en", 1).Where(item => item.Relation == "next" && item.Choices is not null))
        {
            int days = item.Choices!.Count(choice => weekdays.Any(day => choice.Contains(day, StringComparison.Ordinal)));
            Assert.True(days is 0 or 4, item.Id);
        }
    }

    [Fact]
    public void The_right_answer_stands_at_every_place()
    {
        var places = SampleExamination.Items("en", 1).Where(item => item.Answer is not null).GroupBy(item => item.Answer!.Value).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal([0, 1, 2, 3], places.Keys.Order());
        Assert.All(places.Values, count => Assert.InRange(count, 15, 45));
    }

    [Fact]
    public void Items_are_a_function_of_language_seed_and_settings_and_so_is_their_hash()
    {
        IReadOnlyList<ExaminationItem> items = SampleExamination.Items("en", 1);
        Assert.Equal(items.Select(item => item.ToJsonLine()), SampleExamination.Items("en", 1).Select(item => item.ToJsonLine()));
        Assert.NotEqual(SampleExamination.Hash(items), SampleExamination.Hash(SampleExamination.Items("en", 2)));
        byte[] file = [.. items.SelectMany(item => item.ToJsonLine())];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file)), SampleExamination.Hash(items));
    }

    [Fact]
    public void A_line_has_the_documented_fields()
    {
        IReadOnlyList<ExaminationItem> items = SampleExamination.Items("en", 1);
        JsonObject choice = JsonNode.Parse(items.First(item => item.Kind == ExaminationItem.Unseen).ToJsonLine())!.AsObject();
        Assert.Equal(["id", "language", "relation", "kind", "context", "choices", "answer"], choice.Select(field => field.Key));
        JsonObject asked = JsonNode.Parse(items.First(item => item.Kind == ExaminationItem.Generated).ToJsonLine())!.AsObject();
        Assert.Equal(["id", "language", "relation", "kind", "question", "expected", "questionTrained"], asked.Select(field => field.Key));
    }
}
