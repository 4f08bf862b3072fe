from django.http import HttpRequest, HttpResponse
def create(request: HttpRequest) -> HttpResponse:
    return HttpResponse("soon")
receipt = create
